"""The ISO on (virtual) hardware: fetched in ranges through the real routes, booted by real firmware."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette

from bessemer.api.boot.route import routes
from bessemer.boot.artefact import BootArtefacts
from bessemer.config.settings import ConductorSettings, RedfishSettings, Settings
from bessemer.image.relay import ImageRelay
from bessemer.kernel.clock import SystemClock
from bessemer.store.database import Database
from bessemer.store.node import create_node
from bessemer.store.vault import Vault
from bessemer.transfer.web import Web
from bessemer_lab.image.archive import character_device, directory, pack_archive, regular_file
from bessemer_lab.image.package import unpack_packages
from fakes.http_server import serving
from fakes.record import BOOT_KEY, NODE_UUID, TOKEN, make_node
from fakes.wait import until
from fixture_database import KEYS

pytestmark = pytest.mark.lab

CACHE = Path(__file__).parents[3] / "build" / "cache" / "boot-test"
FIRMWARE = Path("/usr/share/OVMF")
MODULES = ("virtio_pci", "virtio_scsi", "sr_mod", "isofs")
RANGE_BYTES = 3 * 1024 * 1024
API = "http://10.0.2.2:6385"
#: Parameters that mean something to GRUB's own language and must reach the kernel as they are.
ODD = "ds=nocloud;s=$root{x}|y odd=<a&b>"

INIT = """\
#!/bin/busybox sh
B=/bin/busybox
$B mkdir -p /proc /sys /mnt
$B mount -t proc proc /proc
$B mount -t sysfs sysfs /sys
$B mount -t devtmpfs dev /dev
for module in $($B ls /modules); do $B insmod /modules/$module; done
until $B mount -t iso9660 -o ro /dev/sr0 /mnt 2>/dev/null; do $B sleep 0.1; done
echo "CMDLINE $($B cat /proc/cmdline)"
echo "LABEL $($B dd if=/dev/sr0 bs=1 skip=32808 count=15 2>/dev/null)"
$B ls /mnt/etc/ironic-python-agent.d
$B sed 's/^/CONFIG /' /mnt/etc/ironic-python-agent.d/*.conf
echo END
$B poweroff -f
"""


@pytest.fixture(scope="session")
def ramdisk() -> tuple[Path, Path]:
    """A kernel and a ramdisk that prints what it was given, built once and kept between runs."""
    kernel, initrd = CACHE / "vmlinuz", CACHE / "initrd"
    if not initrd.exists():
        asyncio.run(build_ramdisk(kernel, initrd))
    return kernel, initrd


async def build_ramdisk(kernel: Path, initrd: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    tree = await unpack_packages(CACHE / "packages")
    modules = enumerate(tree.list_modules(MODULES))
    entries = [directory(name) for name in ("bin", "dev", "modules")]
    entries += [
        character_device("dev/console", 5, 1),
        regular_file("bin/busybox", tree.busybox.read_bytes(), is_executable=True),
        regular_file("init", INIT.encode(), is_executable=True),
        *(regular_file(f"modules/{number:02}.ko", path.read_bytes()) for number, path in modules),
    ]
    kernel.write_bytes(tree.kernel.read_bytes())  # noqa: ASYNC240
    partial = initrd.with_suffix(".partial")
    partial.write_bytes(gzip.compress(pack_archive(entries), 1))
    partial.rename(initrd)


@pytest.fixture
async def url(ramdisk: tuple[Path, Path], tmp_path: Path) -> AsyncIterator[str]:
    """Where the node's ISO is served."""
    kernel, initrd = ramdisk
    settings = Settings(
        conductor=ConductorSettings(deploy_kernel=str(kernel), deploy_ramdisk=str(initrd)),
        redfish=RedfishSettings(kernel_append_params=f"console=ttyS0 quiet {ODD}"),
    )
    database = await Database.open(
        f"sqlite:///{tmp_path}/test.sqlite", clock=SystemClock(), vault=Vault(KEYS)
    )
    async with database.write() as tx:
        await create_node(tx, make_node())
    async with aiohttp.ClientSession() as outward:
        web = Web(outward)
        artefacts = BootArtefacts(settings, cache_directory=tmp_path / "cache", web=web, api_url=API)
        app = Starlette(routes=routes(artefacts, ImageRelay(settings, web), database))
        async with serving(app) as base_url:
            yield artefacts.url_for(make_node(), base_url)
        await artefacts.close()
    await database.close()


async def fetch_in_ranges(url: str, target: Path) -> None:
    """As BMCs and QEMU's block layer do it: size by HEAD, then one range after the other."""
    async with aiohttp.ClientSession() as session:
        async with session.head(url) as response:
            size = int(response.headers["Content-Length"])
        with target.open("wb") as file:
            for start in range(0, size, RANGE_BYTES):
                asked = {"Range": f"bytes={start}-{start + RANGE_BYTES - 1}"}
                async with session.get(url, headers=asked) as response:
                    assert response.status == 206
                    file.write(await response.read())


async def boot(iso: Path, firmware: str, serial: Path) -> str:
    """Boot a machine without disks from ``iso``; what it said on its serial port."""
    command = [
        *("qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-m", "512", "-display", "none"),
        *("-monitor", "none", "-no-reboot", "-nic", "none", "-serial", f"file:{serial}"),
        *("-device", "virtio-scsi-pci", "-drive", f"if=none,id=cd,format=raw,readonly=on,file={iso}"),
        *("-device", "scsi-cd,drive=cd,bootindex=1"),
    ]
    if firmware == "uefi":
        nvram = serial.with_suffix(".nvram")
        nvram.write_bytes((FIRMWARE / "OVMF_VARS_4M.fd").read_bytes())
        code = f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd"
        command += ["-drive", code, "-drive", f"if=pflash,format=raw,file={nvram}"]
    serial.touch()  # noqa: ASYNC240
    machine = await asyncio.create_subprocess_exec(*command)
    try:
        await until(lambda: machine.returncode is not None or b"\nEND" in serial.read_bytes(), timeout_s=90)
    finally:
        if machine.returncode is None:
            machine.kill()
        await machine.wait()
    return serial.read_text(errors="replace")  # noqa: ASYNC240


@pytest.mark.parametrize("firmware", ["uefi", "bios"])
async def test_a_machine_boots_the_iso_and_finds_what_is_meant_for_it(
    firmware: str, url: str, tmp_path: Path
) -> None:
    assert url.endswith(f"/boot/{NODE_UUID}/{BOOT_KEY}/boot.iso")
    await fetch_in_ranges(url, tmp_path / "node.iso")
    said = await boot(tmp_path / "node.iso", firmware, tmp_path / "serial")
    lines = [line.strip() for line in said.splitlines()]
    words = next(line for line in lines if line.startswith("CMDLINE")).split()
    assert "boot_method=vmedia" in words
    assert f"ipa-api-url={API}" in words
    assert all(word in words for word in ODD.split())
    assert TOKEN not in " ".join(words)
    assert "LABEL VMEDIA_BOOT_ISO" in lines
    assert "bessemer.conf" in lines
    assert f"CONFIG agent_token = {TOKEN}" in lines
    assert f"CONFIG node_uuid = {NODE_UUID}" in lines
