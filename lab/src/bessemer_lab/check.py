"""What has to be installed for a lab, and what of it is not."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bessemer_lab.firmware import PLAIN, SECURE


@dataclass(frozen=True, slots=True)
class Requirement:
    """A program (in PATH or an sbin directory) or a file, and the Debian package it comes from."""

    thing: str
    package: str
    purpose: str


REQUIREMENTS = (
    Requirement("qemu-system-x86_64", "qemu-system-x86", "running machines"),
    Requirement("qemu-img", "qemu-utils", "disks"),
    Requirement("setpriv", "util-linux", "ending machines with the lab"),
    Requirement(str(PLAIN.code), "ovmf", "UEFI"),
    Requirement(str(SECURE.code), "ovmf", "Secure Boot"),
    Requirement("/usr/share/seabios/bios-256k.bin", "seabios", "BIOS"),
    Requirement("/usr/lib/ipxe/qemu/efi-virtio.rom", "ipxe-qemu", "network boot"),
    Requirement("mmdebstrap", "mmdebstrap", "building the OS image"),
    Requirement("depmod", "kmod", "building the OS image"),
    Requirement("mformat", "mtools", "building the OS image"),
    Requirement("mke2fs", "e2fsprogs", "building the OS image"),
    Requirement("grub-mkimage", "grub-common", "building the OS image"),
    Requirement("/usr/lib/grub/x86_64-efi/moddep.lst", "grub-efi-amd64-bin", "building the OS image"),
    Requirement("/usr/lib/grub/i386-pc/boot.img", "grub-pc-bin", "building the OS image"),
    Requirement("zstd", "zstd", "building the OS image"),
    Requirement("gzip", "gzip", "building the OS image"),
    Requirement("fakeroot", "fakeroot", "building the OS image as an ordinary user"),
)


def is_present(requirement: Requirement) -> bool:
    """Whether the program or file is there."""
    if requirement.thing.startswith("/"):
        return Path(requirement.thing).exists()
    return any(shutil.which(requirement.thing, path=path) for path in (None, "/usr/sbin:/sbin"))


def list_missing(*, is_there: Callable[[Requirement], bool] = is_present) -> list[Requirement]:
    """The requirements that are not met."""
    return [requirement for requirement in REQUIREMENTS if not is_there(requirement)]
