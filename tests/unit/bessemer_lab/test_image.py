"""The parts of the OS image that need no packages."""

import stat
import struct
import subprocess
import uuid
import zlib
from pathlib import Path

import pytest

from bessemer_lab.image.archive import character_device, directory, pack_archive, regular_file, symlink
from bessemer_lab.image.build import compute_key
from bessemer_lab.image.package import PackageTree
from bessemer_lab.image.partition import BIOS_BOOT, ESP, MIB, SECTOR, Partition, plan_table

DISK = uuid.UUID("9d6b1c6e-0d2f-4f0e-9a42-0d2b7f6f2f10")
PARTITIONS = [
    Partition(kind=BIOS_BOOT, identity=DISK, name="bios", start_bytes=MIB, size_bytes=MIB),
    Partition(kind=ESP, identity=uuid.UUID(int=7), name="esp", start_bytes=2 * MIB, size_bytes=4 * MIB),
]


def make_disk(path: Path) -> bytes:
    with path.open("wb") as disk:
        disk.truncate(8 * MIB)
        for offset, data in plan_table(PARTITIONS, DISK, 8 * MIB).items():
            disk.seek(offset)
            disk.write(data)
    return path.read_bytes()


def test_an_archive_is_what_cpio_unpacks(tmp_path: Path) -> None:
    archive = pack_archive(
        [
            directory("bin"),
            regular_file("bin/tool", b"odd", is_executable=True),
            symlink("bin/sh", "tool"),
            character_device("console", 5, 1),
        ]
    )
    listing = subprocess.run(["cpio", "-itv", "--quiet"], input=archive, capture_output=True, check=True)
    modes = [line.split()[0] for line in listing.stdout.decode().splitlines()]
    assert modes == ["drwxr-xr-x", "-rwxr-xr-x", "lrwxrwxrwx", "crw-------"]
    assert b"5,   1" in listing.stdout
    arguments = ["cpio", "-id", "--quiet", "bin", "bin/*"]
    subprocess.run(arguments, input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "bin/sh").read_bytes() == b"odd"
    assert stat.S_IMODE((tmp_path / "bin/tool").stat().st_mode) == 0o755


def test_a_partition_table_has_two_copies_with_right_checksums(tmp_path: Path) -> None:
    data = make_disk(tmp_path / "disk")
    last = len(data) // SECTOR - 1
    for place, other in ((1, last), (last, 1)):
        header = bytearray(data[place * SECTOR : place * SECTOR + 92])
        assert header[:8] == b"EFI PART"
        own, alternate, table = (
            struct.unpack_from("<Q", header, 24)
            + struct.unpack_from("<Q", header, 32)
            + (struct.unpack_from("<Q", header, 72))
        )
        assert (own, alternate) == (place, other)
        entries = data[table * SECTOR : table * SECTOR + 128 * 128]
        assert struct.unpack_from("<I", header, 88)[0] == zlib.crc32(entries)
        checksum = struct.unpack_from("<I", header, 16)[0]
        header[16:20] = bytes(4)
        assert checksum == zlib.crc32(header)


def test_a_partition_table_satisfies_sgdisk(tmp_path: Path) -> None:
    make_disk(tmp_path / "disk")
    answer = subprocess.run(
        ["sgdisk", "-v", "-p", tmp_path / "disk"], capture_output=True, text=True, check=True
    )
    assert "No problems found" in answer.stdout
    assert str(DISK).upper() in answer.stdout
    assert "EF00  esp" in answer.stdout


def test_a_partition_table_leaves_room_for_boot_code() -> None:
    assert min(plan_table(PARTITIONS, DISK, 8 * MIB)) == 440


def test_modules_come_after_what_they_need(tmp_path: Path) -> None:
    place = tmp_path / "lib/modules/6.1"
    place.mkdir(parents=True)
    (place / "modules.builtin").write_text("kernel/fs/ext4.ko\n")
    (place / "modules.dep").write_text("a/sd-mod.ko: a/mid.ko a/base.ko\na/mid.ko: a/base.ko\na/base.ko:\n")
    tree = PackageTree(tmp_path, "6.1")
    names = [path.name for path in tree.list_modules(("mid", "sd_mod", "ext4"))]
    assert names == ["base.ko", "mid.ko", "sd-mod.ko"]


def test_a_module_the_kernel_does_not_have_is_named(tmp_path: Path) -> None:
    from bessemer_lab.error import ImageBuildFailed

    place = tmp_path / "lib/modules/6.1"
    place.mkdir(parents=True)
    (place / "modules.builtin").touch()
    (place / "modules.dep").touch()
    with pytest.raises(ImageBuildFailed, match="no module floppy"):
        PackageTree(tmp_path, "6.1").list_modules(("floppy",))


def test_the_same_inputs_have_the_same_key() -> None:
    assert compute_key() == compute_key()
    assert len(compute_key()) == 16
