"""The OS image as it was built."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from bessemer_lab.image import OsImage, build_os_image
from bessemer_lab.process import run_child

pytestmark = pytest.mark.lab

MIB = 1 << 20


async def test_a_second_build_finds_the_first(os_image: OsImage) -> None:
    reports: list[str] = []
    async with asyncio.timeout(1):
        again = await build_os_image(os_image.raw.parent.parent, report=reports.append)
    assert (again, reports) == (os_image, [])


def test_the_image_is_small(os_image: OsImage) -> None:
    assert os_image.raw.stat().st_size <= 64 * MIB
    for packed in (os_image.zstd, os_image.gzip, os_image.qcow2):
        assert packed.stat().st_size <= 20 * MIB


def test_the_checksums_are_right(os_image: OsImage) -> None:
    for path in (os_image.raw, os_image.zstd, os_image.gzip, os_image.qcow2):
        assert os_image.sha256[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_every_form_holds_the_same_disk(os_image: OsImage, tmp_path: Path) -> None:
    unpacked = tmp_path / "zstd.raw"
    await run_child(["zstd", "-q", "-d", os_image.zstd, "-o", unpacked], timeout_s=30)
    assert hashlib.sha256(unpacked.read_bytes()).hexdigest() == os_image.sha256["image.raw"]
    packed = tmp_path / "gzip.raw.gz"
    packed.write_bytes(os_image.gzip.read_bytes())
    await run_child(["gzip", "-d", packed], timeout_s=30)
    assert hashlib.sha256((tmp_path / "gzip.raw").read_bytes()).hexdigest() == os_image.sha256["image.raw"]
    await run_child(["qemu-img", "compare", "-q", os_image.qcow2, os_image.raw], timeout_s=30)


async def test_the_partition_table_satisfies_sgdisk(os_image: OsImage) -> None:
    assert "No problems found" in await run_child(["sgdisk", "-v", os_image.raw], timeout_s=30)
