"""GRUB images that start a kernel from our ISO: made once per GRUB version by its own tools and mtools."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bessemer.kernel.error import Unavailable

_MODULES = ("iso9660", "search", "search_fs_file", "configfile", "linux", "normal", "echo")
_EFI_MODULES = (*_MODULES, "fat", "part_gpt", "part_msdos")
_BIOS_MODULES = (*_MODULES, "biosdisk")
#: Where Debian and its relatives keep GRUB's parts, one directory per platform.
GRUB_DIRECTORY = Path("/usr/lib/grub")
_EFI_NAMES = {"x86_64": ("x86_64-efi", "BOOTX64.EFI"), "aarch64": ("arm64-efi", "BOOTAA64.EFI")}
_BIOS_PLATFORM = "i386-pc"
_TOOL_TIMEOUT_S = 60.0
_SECTOR_BYTES = 512

# The firmware hands GRUB the boot image as its root; the files are on the ISO around it.
_FIRST_COMMANDS = """\
search --no-floppy --set=root --file /boot/grub/grub.cfg --hint cd0
set prefix=($root)/boot/grub
configfile /boot/grub/grub.cfg
"""


def grub_identity(arch: str) -> str:
    """Names the installed GRUB: images made from another version are other images.

    Raises:
        Unavailable: GRUB for UEFI is not installed.
    """
    platform, _ = _EFI_NAMES[arch]
    try:
        facts = (GRUB_DIRECTORY / platform / "kernel.img").stat()
    except FileNotFoundError:
        raise Unavailable(
            f"GRUB for {platform} is not installed on this host.",
            hint="Install grub-efi-amd64-bin (and grub-pc-bin for BIOS machines) and mtools.",
        ) from None
    return f"{platform} {facts.st_size} {facts.st_mtime_ns} {has_bios_grub(arch)}"


def has_bios_grub(arch: str) -> bool:
    """Whether the ISO can also be made to start on BIOS machines."""
    return arch == "x86_64" and (GRUB_DIRECTORY / _BIOS_PLATFORM / "kernel.img").exists()


async def make_efi_image(arch: str, target: Path) -> None:
    """Write to ``target`` a FAT image with GRUB where UEFI firmware looks for it. Equal inputs, equal bytes.

    Raises:
        Unavailable: A tool is missing, failed or did not end in time.

    Source: UEFI specification 2.10, sections 3.5.1.1 (file names) and 13.3.2.1 (El Torito).
    """
    platform, name = _EFI_NAMES[arch]
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="bessemer-grub-"))
    try:
        program = scratch / name
        await _make_core(platform, _EFI_MODULES, program)
        # Room for the program, the two directories and FAT's own tables.
        sectors = program.stat().st_size // _SECTOR_BYTES + 400
        image = scratch / "efi.img"
        geometry = ["-T", str(sectors), "-h", "16", "-s", "63"]
        await _run("mformat", "-C", "-i", str(image), "-N", "0", "-v", "ESP", *geometry, "::")
        await _run("mmd", "-i", str(image), "::/EFI", "::/EFI/BOOT")
        await _run("mcopy", "-i", str(image), str(program), f"::/EFI/BOOT/{name}")
        await asyncio.to_thread(shutil.copyfile, image, target)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def make_bios_image(target: Path) -> None:
    """Write to ``target`` the boot image for BIOS firmware. Raises as ``make_efi_image``."""
    await _make_core("i386-pc-eltorito", _BIOS_MODULES, target)


async def _make_core(platform: str, modules: Sequence[str], target: Path) -> None:
    first = target.with_name(target.name + ".first")
    await asyncio.to_thread(first.write_text, _FIRST_COMMANDS)
    try:
        options = ["-O", platform, "-p", "/boot/grub", "-c", str(first), "-o", str(target)]
        await _run("grub-mkimage", *options, *modules)
    finally:
        first.unlink(missing_ok=True)


async def _run(*command: str) -> None:
    # A fixed date and zone make the FAT image reproducible.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "946684800", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
    except FileNotFoundError:
        raise Unavailable(
            f"The program {command[0]} is not installed on this host.",
            hint="Install grub-common, grub-efi-amd64-bin and mtools.",
        ) from None
    try:
        async with asyncio.timeout(_TOOL_TIMEOUT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        raise Unavailable(f"The program {command[0]} did not end in {_TOOL_TIMEOUT_S:.0f} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = output.decode(errors="replace").strip()[-300:]
        raise Unavailable(f"The program {command[0]} failed: {said}")
