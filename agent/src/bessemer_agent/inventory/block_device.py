"""The disks.

Names and identifiers come from the same udev properties that ironic-python-agent reports (``ID_WWN``,
``ID_SERIAL_SHORT``, ``ID_PATH`` ...), so that root device hints made from its inventories still match.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.inventory.sysfs import read_int, read_link_name, read_text
from bessemer_agent.journal import say

#: Kernel devices that are never disks to deploy to.
_NOT_DISKS = ("loop", "ram", "zram", "sr", "fd", "dm-", "nbd", "mtd")
#: Hardware partitions of eMMC, which the kernel shows as disks of their own.
_NOT_DISKS_ENDING = ("boot0", "boot1", "rpmb")


class BlockDevice(NamedTuple):
    """One disk: the attributes root device hints can name, and what decides whether we may touch it."""

    #: "/dev/sda".
    name: str
    #: Bytes.
    size: int
    model: str | None
    vendor: str | None
    serial: str | None
    wwn: str | None
    wwn_with_extension: str | None
    wwn_vendor_extension: str | None
    rotational: bool
    #: SCSI address "host:channel:target:lun".
    hctl: str | None
    #: "/dev/disk/by-path/...".
    by_path: str | None
    #: How it is attached: "sata", "nvme", "usb", "virtio"...
    tran: str | None
    #: Bytes per logical sector.
    logical_sectors: int
    is_read_only: bool
    is_removable: bool
    #: Everything the drive is known by: its own serial number, and what udev made of its identifiers, which
    #: is what ironic-python-agent reported at times. Hints match any of them.
    serials: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, object]:
        """As one entry of the inventory's ``disks``."""
        fields = self._asdict()
        for name in ("is_read_only", "is_removable", "serials"):
            del fields[name]
        return fields


def list_block_devices(root: Path = Path("/")) -> list[BlockDevice]:
    """All disks with a size, in name order, removable and read-only ones included."""
    names = sorted(entry.name for entry in (root / "sys/block").iterdir())
    names = [
        name for name in names if not name.startswith(_NOT_DISKS) and not name.endswith(_NOT_DISKS_ENDING)
    ]
    return [device for name in names if (device := _read_device(root, name)).size > 0]


def wait_for_block_devices(
    attempts: int, delay_s: float, root: Path = Path("/"), pause: Callable[[float], None] = time.sleep
) -> list[BlockDevice]:
    """The disks, after giving slow controllers ``attempts`` chances to show one that could be deployed to."""
    devices = list_block_devices(root)
    for _ in range(attempts):
        if any(not device.is_removable for device in devices):
            break
        say("no disk yet", seen=len(devices))
        pause(delay_s)
        devices = list_block_devices(root)
    return devices


def _read_device(root: Path, name: str) -> BlockDevice:
    entry = root / "sys/block" / name
    device = entry / "device"
    udev = _read_udev(root, read_text(entry / "dev") or "")
    wwn = udev.get("ID_WWN") or read_text(device / "wwid") or read_text(entry / "wwid")
    hctl = read_link_name(device)
    path = udev.get("ID_PATH")
    serials = _list_serials(udev, entry)
    return BlockDevice(
        name="/dev/" + name.replace("!", "/"),  # the kernel writes ! for / in names such as cciss/c0d0
        size=(read_int(entry / "size") or 0) * 512,  # sysfs counts 512-byte units whatever the disk's sectors
        model=read_text(device / "model") or udev.get("ID_MODEL"),
        vendor=read_text(device / "vendor") or udev.get("ID_VENDOR"),
        serial=serials[0] if serials else None,
        wwn=wwn,
        wwn_with_extension=udev.get("ID_WWN_WITH_EXTENSION") or wwn,
        wwn_vendor_extension=udev.get("ID_WWN_VENDOR_EXTENSION"),
        rotational=read_int(entry / "queue/rotational") == 1,
        hctl=hctl if hctl and hctl.count(":") == 3 else None,
        by_path=f"/dev/disk/by-path/{path}" if path else None,
        tran=_find_transport(name, udev),
        logical_sectors=read_int(entry / "queue/logical_block_size") or 512,
        is_read_only=read_int(entry / "ro") == 1,
        is_removable=read_int(entry / "removable") == 1,
        serials=serials,
    )


def _list_serials(udev: dict[str, str], entry: Path) -> tuple[str, ...]:
    """Serial numbers, the drive's own first: SCSI's short one is its WWN, which is no serial number to
    people.
    """
    found = [udev.get(name) for name in ("ID_SCSI_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")]
    found += [read_text(entry / "device/serial"), read_text(entry / "serial")]
    return tuple(dict.fromkeys(serial for serial in found if serial))


def _find_transport(name: str, udev: dict[str, str]) -> str | None:
    if name.startswith("nvme"):
        return "nvme"
    if name.startswith("vd"):
        return "virtio"
    bus = udev.get("ID_BUS")
    return {"ata": "sata"}.get(bus, bus) if bus else None


def _read_udev(root: Path, number: str) -> dict[str, str]:
    # The database udev keeps in /run is what `udevadm info` prints, without a process for each disk.
    text = read_text(root / "run/udev/data" / f"b{number}") or ""
    return dict(line[2:].split("=", 1) for line in text.splitlines() if line.startswith("E:") and "=" in line)
