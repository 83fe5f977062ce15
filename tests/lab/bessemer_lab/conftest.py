"""A lab with real machines, the OS image, and small media made for the occasion."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bessemer_lab.image import OsImage, build_os_image
from bessemer_lab.image.filesystem import make_fat
from bessemer_lab.lab import Lab
from bessemer_lab.machine import Machine
from bessemer_lab.process import run_child
from fakes.bmc_client import Client

CACHE = Path(__file__).parents[3] / "build" / "cache"
META_DATA = '{"uuid": "5", "hostname": "from-drive.example", "name": "other"}'


@pytest.fixture(scope="session")
def os_image() -> OsImage:
    return asyncio.run(build_os_image(CACHE / "os"))


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab(tmp_path / "lab") as lab:
        yield lab


@asynccontextmanager
async def talk_to(machine: Machine) -> AsyncIterator[Client]:
    trust = ssl.create_default_context(cafile=str(machine.certificate_path))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        yield Client(machine, session)


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Machine], object]]:
    async with AsyncExitStack() as stack:
        yield lambda machine: stack.enter_async_context(talk_to(machine))


def write_config_drive(directory: Path, user_data: str) -> Path:
    """The files of a config drive."""
    latest = directory / "openstack" / "latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text(META_DATA)
    (latest / "user_data").write_text(user_data)
    return directory


async def make_config_iso(directory: Path, user_data: str) -> Path:
    """A config drive to be put in a CD drive."""
    files, image = write_config_drive(directory / "config", user_data), directory / "config.iso"
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-V", "config-2", "-R", "-J", "-o", image, files]
    await run_child(command, timeout_s=30)
    return image


async def make_config_disk(directory: Path, user_data: str) -> Path:
    """A config drive to be a disk of its own."""
    files, image = write_config_drive(directory / "config", user_data), directory / "config.img"
    await make_fat(image, files, size_bytes=48 << 20, label="config-2")
    return image


async def make_boot_iso(directory: Path, marker: str) -> Path:
    """An ISO for UEFI and BIOS that writes ``marker`` to the serial console and reboots."""
    tree = directory / "iso"
    tree.mkdir()
    script = directory / "boot.cfg"
    script.write_text(
        f"serial --unit=0 --speed=115200\nterminal_output serial\necho {marker}\nsleep 1\nreboot\n"
    )
    for form, name, modules in (
        ("x86_64-efi", "BOOTX64.EFI", ()),
        ("i386-pc-eltorito", "bios.img", ("biosdisk",)),
    ):
        target = directory / name if form == "x86_64-efi" else tree / name
        command = ["grub-mkimage", "-O", form, "-p", "/", "-c", script, "-o", target, *modules]
        await run_child([*command, "iso9660", "serial", "terminal", "echo", "sleep", "reboot"], timeout_s=30)
    esp = directory / "esp"
    (esp / "EFI" / "BOOT").mkdir(parents=True)
    (directory / "BOOTX64.EFI").rename(esp / "EFI" / "BOOT" / "BOOTX64.EFI")
    await make_fat(tree / "uefi.img", esp, size_bytes=36 << 20, label="BOOT")
    image = directory / "boot.iso"
    bios = ["-b", "bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"]
    uefi = ["-eltorito-alt-boot", "-e", "uefi.img", "-no-emul-boot"]
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-R", *bios, *uefi, "-o", image, tree]
    await run_child(command, timeout_s=30)
    return image
