"""What a virtual machine is made of: the description a lab is given."""

import hashlib
import re
import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from bessemer_lab.error import InvalidSpec

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_TEXT = re.compile(r"[A-Za-z0-9 ._-]*")
_URL = re.compile(r"[A-Za-z0-9:/._~?=&%-]*")


class Firmware(StrEnum):
    UEFI = "uefi"
    BIOS = "bios"


class DiskBus(StrEnum):
    SCSI = "scsi"
    NVME = "nvme"
    VIRTIO = "virtio"


class BootDevice(StrEnum):
    """A kind of boot source; the values are those of Redfish's BootSource."""

    HDD = "Hdd"
    PXE = "Pxe"
    CD = "Cd"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpec:
    """One disk. Serial and WWN are derived from the machine's UUID when left empty."""

    size_gib: int = 4
    #: scsi has serial, WWN, model and rotation rate; nvme a serial; virtio a serial only.
    bus: DiskBus = DiskBus.SCSI
    serial: str = ""
    #: 64 bits, an NAA name such as 0x5000c50012345678; scsi only.
    wwn: int = 0
    #: At most 16 characters; scsi only.
    model: str = "VIRTUAL-DISK"
    #: Revolutions a minute; 1 means solid state, 0 not reported; scsi only.
    rotation_rate: int = 1
    #: A raw image the disk starts with (copy on write; the image itself is never changed).
    backing: Path | None = None

    @property
    def size_bytes(self) -> int:
        return self.size_gib << 30

    def validate(self) -> None:
        """Raise InvalidSpec when the disk cannot be built."""
        if not 1 <= self.size_gib <= 16384:
            raise InvalidSpec(f"a disk of {self.size_gib} GiB: the size must be 1 to 16384 GiB")
        if not 0 <= self.wwn < 1 << 64:
            raise InvalidSpec(f"WWN {self.wwn:#x} does not fit in 64 bits")
        if not 0 <= self.rotation_rate <= 65535:
            raise InvalidSpec(f"rotation rate {self.rotation_rate} is not within 0 to 65535")
        if len(self.serial) > 20 or len(self.model) > 16:
            raise InvalidSpec("a disk's serial has at most 20 characters and its model at most 16")
        for text in (self.serial, self.model):
            if not _TEXT.fullmatch(text):
                raise InvalidSpec(f"{text!r} has characters other than letters, digits, space, '.', '_', '-'")


@dataclass(frozen=True, slots=True, kw_only=True)
class NicSpec:
    """One network interface on QEMU's user-mode network; the MAC is derived from the UUID when empty."""

    mac: str = ""
    model: str = "virtio-net-pci"
    is_connected: bool = True
    #: What DHCP names as boot file (an http:// or tftp:// URL for iPXE); empty for none.
    boot_file: str = ""

    def validate(self) -> None:
        """Raise InvalidSpec when the interface cannot be built."""
        if self.mac and not _MAC.fullmatch(self.mac):
            raise InvalidSpec(f"MAC address {self.mac!r} is not six lower-case hexadecimal pairs")
        if self.mac and int(self.mac[:2], 16) & 1:
            raise InvalidSpec(f"MAC address {self.mac} is a multicast address")
        if self.model not in {"virtio-net-pci", "e1000", "e1000e"}:
            raise InvalidSpec(f"network card {self.model!r} is not known")
        if not _URL.fullmatch(self.boot_file):
            raise InvalidSpec(f"boot file {self.boot_file!r} is not a URL QEMU can be given")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """One machine. ``name`` is also its directory and must be unique in the lab."""

    name: str
    memory_mib: int = 1024
    processors: int = 1
    #: What the machine boots with until its BMC is told otherwise (BootSourceOverrideMode).
    firmware: Firmware = Firmware.UEFI
    disks: tuple[DiskSpec, ...] = (DiskSpec(),)
    nics: tuple[NicSpec, ...] = (NicSpec(),)
    #: Without an override the firmware tries these in turn; no CD, so that a forgotten override shows.
    boot_order: tuple[BootDevice, ...] = (BootDevice.HDD, BootDevice.PXE)
    #: Chosen at random on the first start, and kept, when None.
    uuid: str | None = None
    #: Also offer the serial console on a TCP port of the loopback interface.
    has_tcp_console: bool = False
    #: Further QEMU arguments, passed as they are; for experiments.
    extra_arguments: tuple[str, ...] = field(default=(), repr=False)

    def validate(self) -> None:
        """Raise InvalidSpec, naming the machine, when it cannot be built."""
        try:
            self._validate()
        except InvalidSpec as error:
            raise InvalidSpec(f"machine {self.name!r}: {error}") from None

    def _validate(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidSpec("a name has 1 to 63 lower-case letters, digits and inner hyphens")
        if not 64 <= self.memory_mib <= 1 << 20:
            raise InvalidSpec(f"memory of {self.memory_mib} MiB is not within 64 MiB to 1 TiB")
        if not 1 <= self.processors <= 64:
            raise InvalidSpec(f"{self.processors} processors are not within 1 to 64")
        if len(self.disks) > 16 or len(self.nics) > 8:
            raise InvalidSpec("at most 16 disks and 8 network interfaces")
        if self.uuid is not None:
            _parse_uuid(self.uuid)
        for disk in self.disks:
            disk.validate()
        for nic in self.nics:
            nic.validate()
        macs = [nic.mac for nic in self.nics if nic.mac]
        if len(set(macs)) != len(macs):
            raise InvalidSpec("two network interfaces have the same MAC address")

    def resolve(self, machine_uuid: str) -> "MachineSpec":
        """The same machine with UUID, MAC addresses, serials and WWNs filled in; a function of the UUID."""
        disks = tuple(
            replace(
                disk,
                serial=disk.serial or _derive(machine_uuid, f"serial-{number}", 10).upper(),
                wwn=disk.wwn or 0x5 << 60 | int(_derive(machine_uuid, f"wwn-{number}", 15), 16),
            )
            for number, disk in enumerate(self.disks)
        )
        nics = tuple(
            replace(nic, mac=nic.mac or _derive_mac(machine_uuid, number))
            for number, nic in enumerate(self.nics)
        )
        return replace(self, uuid=machine_uuid, disks=disks, nics=nics)


def _parse_uuid(text: str) -> None:
    try:
        canonical = str(uuid.UUID(text))
    except ValueError:
        canonical = ""
    if canonical != text:
        raise InvalidSpec(f"{text!r} is not a UUID in lower-case canonical form")


def _derive(machine_uuid: str, purpose: str, digits: int) -> str:
    return hashlib.sha256(f"{machine_uuid} {purpose}".encode()).hexdigest()[:digits]


def _derive_mac(machine_uuid: str, number: int) -> str:
    tail = _derive(machine_uuid, f"mac-{number}", 6)
    return f"52:54:00:{tail[0:2]}:{tail[2:4]}:{tail[4:6]}"
