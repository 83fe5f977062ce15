import os
import struct
from pathlib import Path

import pytest

from bessemer_agent.inventory.block_device import list_block_devices, wait_for_block_devices
from bessemer_agent.inventory.cpu import read_cpu
from bessemer_agent.inventory.firmware import read_boot, read_system_vendor
from bessemer_agent.inventory.hardware import collect_hardware
from bessemer_agent.inventory.memory import read_memory, sum_memory_devices_mb
from bessemer_agent.inventory.nic import list_macs, list_nics

UDEV_SDA = """\
I:123
E:ID_BUS=ata
E:ID_SERIAL=Acme_Disk_S3R14L
E:ID_SERIAL_SHORT=S3R14L
E:ID_WWN=0x5000c50015ea71ac
E:ID_WWN_WITH_EXTENSION=0x5000c50015ea71acaa
E:ID_WWN_VENDOR_EXTENSION=aa
E:ID_PATH=pci-0000:00:07.0-ata-1
"""


def put(root: Path, path: str, text: str | bytes) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text if isinstance(text, bytes) else text.encode())


def memory_device(size_field: int, extended_mb: int = 0) -> bytes:
    body = bytearray(32)
    body[0], body[1] = 17, 32
    struct.pack_into("<H", body, 12, size_field)
    struct.pack_into("<I", body, 28, extended_mb)
    return bytes(body) + b"DIMM\0\0"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    cores = "".join(
        f"processor : {n}\nmodel name : Acme CPU\nphysical id : {n % 2}\n"
        "cpu MHz : 2600.5\nflags : fpu vme\n\n"
        for n in range(4)
    )
    put(tmp_path, "proc/cpuinfo", cores)
    put(tmp_path, "proc/meminfo", "MemTotal:       1024 kB\nMemFree: 1 kB\n")
    table = memory_device(8192) + memory_device(0x7FFF, 65536) + memory_device(0) + b"\x7f\x04\0\0\0\0"
    put(tmp_path, "sys/firmware/dmi/tables/DMI", table)
    put(tmp_path, "sys/class/dmi/id/product_name", "Server 1\n")
    put(tmp_path, "sys/class/dmi/id/product_serial", "XYZ\n")
    put(tmp_path, "sys/class/dmi/id/sys_vendor", "Acme\n")
    put(tmp_path, "sys/class/dmi/id/bios_version", "1.2\n")
    put_disk(tmp_path, "sda", size=2048, removable=0, number="8:0")
    put(tmp_path, "run/udev/data/b8:0", UDEV_SDA)
    put_nic(tmp_path)
    return tmp_path


def put_disk(
    root: Path, name: str, *, size: int, removable: int = 0, number: str = "1:1", ro: int = 0
) -> None:
    base = f"sys/block/{name}"
    put(root, f"{base}/size", str(size))
    put(root, f"{base}/dev", number)
    put(root, f"{base}/removable", str(removable))
    put(root, f"{base}/ro", str(ro))
    put(root, f"{base}/queue/rotational", "1")
    put(root, f"{base}/queue/logical_block_size", "512")
    device = root / "sys/devices" / name / "1:0:0:0"
    put(root, f"sys/devices/{name}/1:0:0:0/model", "SuperDisk \n")
    put(root, f"sys/devices/{name}/1:0:0:0/vendor", "ATA     \n")
    (root / base / "device").symlink_to(os.path.relpath(device, root / base))


def put_nic(root: Path) -> None:
    function = root / "sys/devices/pci0000:00/0000:00:03.0"
    put(root, "sys/devices/pci0000:00/0000:00:03.0/vendor", "0x1af4\n")
    put(root, "sys/devices/pci0000:00/0000:00:03.0/device", "0x1041\n")
    (function / "virtio0").mkdir()
    (function / "virtio0/driver").symlink_to("../../../bus/virtio/drivers/virtio_net")
    entry = root / "sys/class/net/bessemer-t0"
    entry.mkdir(parents=True)
    put(root, "sys/class/net/bessemer-t0/address", "52:54:00:AA:00:01\n")
    put(root, "sys/class/net/bessemer-t0/carrier", "1\n")
    put(root, "sys/class/net/bessemer-t0/speed", "-1\n")
    (entry / "device").symlink_to("../../../devices/pci0000:00/0000:00:03.0/virtio0")
    put(root, "sys/class/net/lo/address", "00:00:00:00:00:00\n")
    put(
        root,
        "proc/net/if_inet6",
        "fe800000000000005054000000000001 02 40 20 80 bessemer-t0\n"
        "fd000000000000000000000000000005 02 40 00 80 bessemer-t0\n",
    )


def test_a_disk_is_described_by_udevs_identifiers_and_sysfs(machine: Path) -> None:
    (disk,) = list_block_devices(machine)
    assert disk.to_wire() == {
        "name": "/dev/sda",
        "size": 1024**2,
        "model": "SuperDisk",
        "vendor": "ATA",
        "serial": "S3R14L",
        "wwn": "0x5000c50015ea71ac",
        "wwn_with_extension": "0x5000c50015ea71acaa",
        "wwn_vendor_extension": "aa",
        "rotational": True,
        "hctl": "1:0:0:0",
        "by_path": "/dev/disk/by-path/pci-0000:00:07.0-ata-1",
        "tran": "sata",
        "logical_sectors": 512,
    }


def test_a_drives_own_serial_number_comes_before_udevs_inventions(machine: Path) -> None:
    put(machine, "run/udev/data/b8:0", UDEV_SDA + "E:ID_SCSI_SERIAL=OWN\n")
    (disk,) = list_block_devices(machine)
    assert disk.serial == "OWN"
    assert disk.serials == ("OWN", "S3R14L", "Acme_Disk_S3R14L")


def test_devices_that_are_no_disks_or_have_no_size_are_left_out(machine: Path) -> None:
    for name in ("loop0", "sr0", "dm-0", "zram0", "mmcblk0boot0"):
        put_disk(machine, name, size=2048)
    put_disk(machine, "sdb", size=0)
    assert [disk.name for disk in list_block_devices(machine)] == ["/dev/sda"]


def test_a_slash_in_a_device_name_is_restored(machine: Path) -> None:
    put_disk(machine, "cciss!c0d0", size=2048)
    assert "/dev/cciss/c0d0" in [disk.name for disk in list_block_devices(machine)]


def test_waiting_for_disks_ends_when_one_appears_that_is_not_removable(tmp_path: Path) -> None:
    put_disk(tmp_path, "sdb", size=2048, removable=1)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            put_disk(tmp_path, "sda", size=2048)

    assert len(wait_for_block_devices(10, 3.0, tmp_path, pause)) == 2
    assert pauses == [3.0, 3.0]


def test_waiting_for_disks_gives_up_after_the_attempts(tmp_path: Path) -> None:
    (tmp_path / "sys/block").mkdir(parents=True)
    pauses: list[float] = []
    assert wait_for_block_devices(3, 1.0, tmp_path, pauses.append) == []
    assert len(pauses) == 3


def test_memory_counts_plugged_modules_in_all_spellings(machine: Path) -> None:
    memory = read_memory(machine)
    assert memory.total == 1024**2
    assert memory.physical_mb == 8192 + 65536


def test_a_damaged_smbios_table_counts_nothing_and_does_not_hang() -> None:
    assert sum_memory_devices_mb(b"\x11\x02\0\0") == 0
    assert sum_memory_devices_mb(memory_device(8192)[:20]) == 8192
    assert sum_memory_devices_mb(b"") == 0


def test_processors_are_counted_with_their_sockets(machine: Path) -> None:
    cpu = read_cpu(machine).to_wire()
    assert (cpu["count"], cpu["socket_count"], cpu["model_name"]) == (4, 2, "Acme CPU")
    assert cpu["flags"] == ["fpu", "vme"]
    assert cpu["frequency"] == "2600.5"


def test_a_nic_shows_the_pci_function_behind_virtio_and_its_global_address(machine: Path) -> None:
    (nic,) = list_nics(machine)
    assert nic.mac_address == "52:54:00:aa:00:01"
    assert (nic.vendor, nic.product, nic.pci_address) == ("0x1af4", "0x1041", "0000:00:03.0")
    assert nic.driver == "virtio_net"
    assert nic.ipv6_address == "fd00::5"
    assert nic.has_carrier
    assert nic.speed_mbps is None
    assert list_macs(machine) == ["52:54:00:aa:00:01"]


def test_the_boot_mode_follows_from_the_kernels_efi_folder(machine: Path) -> None:
    assert read_boot("01-52-54-00-aa-00-01", machine)._asdict() == {
        "current_boot_mode": "bios",
        "pxe_interface": "01-52-54-00-aa-00-01",
    }
    (machine / "sys/firmware/efi").mkdir()
    assert read_boot(None, machine).current_boot_mode == "uefi"


def test_the_vendor_is_empty_where_the_firmware_says_nothing(machine: Path) -> None:
    vendor = read_system_vendor(machine)
    assert (vendor.product_name, vendor.manufacturer) == ("Server 1", "Acme")
    assert vendor.firmware._asdict() == {"vendor": "", "version": "1.2", "build_date": ""}


def test_the_inventory_has_the_documented_parts(machine: Path) -> None:
    inventory = collect_hardware(list_block_devices(machine), None, machine)
    expected = {"interfaces", "cpu", "disks", "memory", "system_vendor", "boot", "hostname", "bmc_address"}
    assert expected <= set(inventory)
