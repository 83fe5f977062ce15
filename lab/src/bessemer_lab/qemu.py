"""The QEMU command line of a machine. Pure: no file is touched here.

The machine's directory is QEMU's working directory, so every path of ours is relative and short.
"""

from collections.abc import Sequence
from pathlib import Path

from bessemer_lab.firmware import UefiFirmware
from bessemer_lab.spec import BootDevice, DiskBus, DiskSpec, MachineSpec, NicSpec

#: The guest sees the host's loopback interface at this address (first interface).
GUEST_GATEWAY = "10.0.2.2"
#: The command API of a deploy agent listens here in the guest.
AGENT_GUEST_PORT = 9999
CD_ID = "cd0"
#: Behind every disk, and the last target OVMF looks at.
_CD_TARGET = 31


def plan_command_line(
    spec: MachineSpec,
    *,
    uefi: tuple[UefiFirmware, Path] | None,
    boot_order: Sequence[BootDevice],
    agent_port: int,
    monitor_fd: int,
    console_socket: Path,
) -> list[str]:
    """The arguments that start a machine, paused before its first instruction.

    ``uefi`` is the firmware and the machine's variable store, or None for BIOS. ``agent_port`` is forwarded
    from the host's loopback interface to the agent in the guest.
    """
    positions = plan_boot_index(spec, boot_order)
    arguments = [
        *("setpriv", "--pdeathsig", "TERM", "qemu-system-x86_64"),
        *("-name", spec.name, "-uuid", str(spec.uuid)),
        *("-machine", "q35,smm=on" if uefi and uefi[0].has_smm else "q35,smm=off"),
        # never KVM: where it opens, it need not work, and a hung guest is worse than a slow one
        *("-accel", "tcg", "-smp", str(spec.processors), "-m", str(spec.memory_mib)),
        *("-display", "none", "-nodefaults", "-no-user-config", "-S"),
        *("-smbios", f"type=1,manufacturer=Bessemer,product=Virtual Server,serial={plan_serial(spec)}"),
        *("-chardev", f"socket,id=monitor,fd={monitor_fd}", "-mon", "chardev=monitor,mode=control"),
        "-chardev",
        f"socket,id=console,path={_escape(console_socket)},server=on,wait=off,logfile=console.log,logappend=on",
        *("-serial", "chardev:console"),
        *("-device", "virtio-rng-pci", "-device", "virtio-scsi-pci,id=scsi0"),
        *("-device", f"scsi-cd,bus=scsi0.0,scsi-id={_CD_TARGET},id={CD_ID}{_index(positions, CD_ID)}"),
        *_plan_firmware(uefi),
    ]
    for number, disk in enumerate(spec.disks):
        arguments += _plan_disk(number, disk, positions)
    for number, nic in enumerate(spec.nics):
        arguments += _plan_nic(number, nic, positions, agent_port)
    return [*arguments, *spec.extra_arguments]


def plan_boot_index(spec: MachineSpec, order: Sequence[BootDevice]) -> dict[str, int]:
    """The bootindex of every device that can be booted from; -1 where the firmware must not try."""
    devices = {
        BootDevice.HDD: [f"disk{number}" for number in range(len(spec.disks))],
        BootDevice.PXE: [f"nic{number}" for number in range(len(spec.nics))],
        BootDevice.CD: [CD_ID],
    }
    indexes = {name: -1 for names in devices.values() for name in names}
    indexes.update(
        {name: place for place, name in enumerate(name for kind in order for name in devices[kind])}
    )
    return indexes


def plan_serial(spec: MachineSpec) -> str:
    """The machine's serial number, as SMBIOS and the BMC report it."""
    return str(spec.uuid).replace("-", "")[:12].upper()


def _index(positions: dict[str, int], device: str) -> str:
    return f",bootindex={positions[device]}" if positions[device] >= 0 else ""


def _escape(path: Path) -> str:
    return str(path).replace(",", ",,")


def _plan_firmware(uefi: tuple[UefiFirmware, Path] | None) -> list[str]:
    if uefi is None:
        return []
    firmware, nvram = uefi
    secure = ["-global", "driver=cfi.pflash01,property=secure,value=on"] if firmware.has_smm else []
    return [
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={firmware.code}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={nvram.name}"),
        *secure,
    ]


def _plan_disk(number: int, disk: DiskSpec, positions: dict[str, int]) -> list[str]:
    name = f"disk{number}"
    # the host's cache may lose a disk when the host dies; a lab would rather be quick
    drive = f"if=none,id=drive{number},format=qcow2,file={name}.qcow2,cache=unsafe,discard=unmap"
    common = f"drive=drive{number},id={name},serial={disk.serial}{_index(positions, name)}"
    match disk.bus:
        case DiskBus.SCSI:
            device = (
                f"scsi-hd,bus=scsi0.0,scsi-id={number},{common},vendor=BESSEMER,product={disk.model},"
                f"wwn={disk.wwn:#x},rotation_rate={disk.rotation_rate}"
            )
        case DiskBus.NVME:
            device = f"nvme,{common}"
        case DiskBus.VIRTIO:
            device = f"virtio-blk-pci,{common}"
    return ["-drive", drive, "-device", device]


def _plan_nic(number: int, nic: NicSpec, positions: dict[str, int], agent_port: int) -> list[str]:
    network = f"10.0.{2 + number}"
    backend = (
        f"user,id=net{number},net={network}.0/24,host={network}.2,dhcpstart={network}.15,dns={network}.3"
    )
    if number == 0:
        backend += f",hostfwd=tcp:127.0.0.1:{agent_port}-:{AGENT_GUEST_PORT}"
    if nic.boot_file:
        backend += f",bootfile={nic.boot_file}"
    name = f"nic{number}"
    device = f"{nic.model},netdev=net{number},id={name},mac={nic.mac}{_index(positions, name)}"
    return ["-netdev", backend, "-device", device]
