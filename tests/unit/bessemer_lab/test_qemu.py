"""The QEMU command line."""

from pathlib import Path

from bessemer_lab.firmware import PLAIN, SECURE, UefiFirmware
from bessemer_lab.qemu import plan_boot_index, plan_command_line
from bessemer_lab.spec import BootDevice, DiskBus, DiskSpec, MachineSpec, NicSpec

UUID = "4f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11"


def plan(
    spec: MachineSpec, *, uefi: UefiFirmware | None = PLAIN, order: tuple[BootDevice, ...] = (BootDevice.HDD,)
) -> str:
    arguments = plan_command_line(
        spec.resolve(UUID),
        uefi=(uefi, Path("/lab/nvram-uefi.fd")) if uefi else None,
        boot_order=order,
        agent_port=40000,
        monitor_fd=7,
        console_socket=Path("/lab/a,b/console.sock"),
    )
    return " ".join(arguments)


def test_a_machine_never_uses_kvm_and_ends_with_its_parent() -> None:
    line = plan(MachineSpec(name="node"))
    assert line.startswith("setpriv --pdeathsig TERM qemu-system-x86_64 ")
    assert "-accel tcg" in line


def test_scsi_disks_have_what_root_device_hints_ask_for() -> None:
    disk = DiskSpec(serial="S1", wwn=0x5000C50012345678, model="MODEL", rotation_rate=7200)
    line = plan(MachineSpec(name="node", disks=(disk,)))
    assert "scsi-hd,bus=scsi0.0,scsi-id=0,drive=drive0,id=disk0,serial=S1,bootindex=0" in line
    assert "product=MODEL,wwn=0x5000c50012345678,rotation_rate=7200" in line


def test_every_bus_is_offered() -> None:
    line = plan(MachineSpec(name="node", disks=tuple(DiskSpec(bus=bus) for bus in DiskBus)))
    for device in (
        "scsi-hd,bus=scsi0.0",
        "nvme,drive=drive1,id=disk1",
        "virtio-blk-pci,drive=drive2,id=disk2",
    ):
        assert f"-device {device}" in line
    assert line.count("cache=unsafe,discard=unmap") == 3


def test_the_agent_is_reached_through_the_first_interface_only() -> None:
    line = plan(MachineSpec(name="node", nics=(NicSpec(), NicSpec())))
    assert line.count("hostfwd=") == 1
    assert "user,id=net0,net=10.0.2.0/24,host=10.0.2.2" in line
    assert "hostfwd=tcp:127.0.0.1:40000-:9999" in line
    assert "user,id=net1,net=10.0.3.0/24" in line


def test_a_comma_in_a_path_does_not_end_the_option() -> None:
    assert "path=/lab/a,,b/console.sock,server=on" in plan(MachineSpec(name="node"))


def test_bios_machines_have_no_flash() -> None:
    assert "pflash" not in plan(MachineSpec(name="node"), uefi=None)


def test_secure_boot_keeps_the_guest_from_writing_the_variables() -> None:
    line = plan(MachineSpec(name="node"), uefi=SECURE)
    assert "q35,smm=on" in line
    assert "driver=cfi.pflash01,property=secure,value=on" in line


def test_devices_outside_the_boot_order_are_never_tried() -> None:
    spec = MachineSpec(name="node", disks=(DiskSpec(), DiskSpec()), nics=(NicSpec(),))
    indexes = plan_boot_index(spec, (BootDevice.CD, BootDevice.HDD))
    assert indexes == {"cd0": 0, "disk0": 1, "disk1": 2, "nic0": -1}
