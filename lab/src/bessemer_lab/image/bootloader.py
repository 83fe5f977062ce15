"""GRUB for UEFI and for BIOS, on one disk image.

Source: GNU GRUB manual, "BIOS installation" and "Invoking grub-mkimage"; the offsets are those GRUB documents
in include/grub/i386/pc/boot.h and include/grub/offsets.h.
"""

import struct
from pathlib import Path

from bessemer_lab.error import MissingPackage
from bessemer_lab.image.partition import SECTOR
from bessemer_lab.process import run_child

_BOOT_IMAGE = Path("/usr/lib/grub/i386-pc/boot.img")
_TIMEOUT_S = 60.0
#: In boot.img: the sector of the core image, and a jump that floppies need and disks must not take.
_KERNEL_SECTOR_AT = 0x5C
_DRIVE_CHECK_AT = 0x66
_BOOT_CODE_BYTES = 440
#: In core.img's first sector: where the rest is (sector, count, segment).
_BLOCK_LIST_AT = SECTOR - 12
_BLOCK_LIST_SEGMENT = 0x820


async def build_uefi_loader(directory: Path, kernel_arguments: str) -> Path:
    """The program to put on the EFI system partition as EFI/BOOT/BOOTX64.EFI."""
    return await _build(directory, kernel_arguments, "x86_64-efi", "/boot", [])


async def build_bios_loader(directory: Path, kernel_arguments: str, partition: int) -> Path:
    """The core image for a BIOS boot partition; kernel and initramfs are on the numbered partition."""
    prefix = f"(,gpt{partition})/boot"
    return await _build(directory, kernel_arguments, "i386-pc", prefix, ["biosdisk"])


def plan_bios_boot(core: bytes, core_at_bytes: int) -> dict[int, bytes]:
    """What to write where (offset in bytes) so that a BIOS starts a core image placed at ``core_at_bytes``.

    Raises:
        MissingPackage: GRUB's files for BIOS are not installed.
    """
    if not _BOOT_IMAGE.exists():
        raise MissingPackage(f"{_BOOT_IMAGE} is not there: install the package grub-pc-bin")
    sector = core_at_bytes // SECTOR
    boot = bytearray(_BOOT_IMAGE.read_bytes())
    struct.pack_into("<Q", boot, _KERNEL_SECTOR_AT, sector)
    boot[_DRIVE_CHECK_AT : _DRIVE_CHECK_AT + 2] = b"\x90\x90"
    placed = bytearray(core)
    rest = -(-len(core) // SECTOR) - 1
    struct.pack_into("<QHH", placed, _BLOCK_LIST_AT, sector + 1, rest, _BLOCK_LIST_SEGMENT)
    return {0: bytes(boot[:_BOOT_CODE_BYTES]), core_at_bytes: bytes(placed)}


async def _build(directory: Path, kernel_arguments: str, form: str, prefix: str, drivers: list[str]) -> Path:
    modules = Path("/usr/lib/grub") / form
    if not modules.is_dir():
        package = "grub-efi-amd64-bin" if form == "x86_64-efi" else "grub-pc-bin"
        raise MissingPackage(f"{modules} is not there: install the package {package}")
    script = directory / f"grub-{form}.cfg"
    script.write_text(f"linux /boot/vmlinuz {kernel_arguments}\ninitrd /boot/initrd\nboot\n")
    core = directory / f"grub-{form}.img"
    await run_child(
        [
            *("grub-mkimage", "--format", form, "--prefix", prefix, "--config", script, "--output", core),
            *("part_gpt", "fat", "linux", "boot", *drivers),
        ],
        timeout_s=_TIMEOUT_S,
    )
    return core
