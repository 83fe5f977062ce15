import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import ImageError, ImageTooLarge, InvalidImage
from bessemer_agent.image import qcow2
from bessemer_agent.image.pipeline import rechunk
from bessemer_agent.image.qcow2 import write_qcow2
from bessemer_agent.image.target import ImageTarget

MakeDisk = Callable[..., Disk]
needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
CLUSTER = 64 * 1024


def write(data: bytes, disk: Disk, is_zeroed: bool = False) -> int:
    target = ImageTarget(disk, is_zeroed)
    size = write_qcow2(rechunk([data]), target)
    target.commit()
    return size


def header(virtual_bytes: int, l1_offset: int, l1_entries: int = 1, **changes: int) -> bytes:
    fields = {"version": 3, "backing": 0, "bits": 16, "crypt": 0, "features": 0, "compression": 0} | changes
    return struct.pack(
        ">4sIQIIQIIQQIIQQQQIIB7x",
        b"QFI\xfb",
        fields["version"],
        fields["backing"],
        0,
        fields["bits"],
        virtual_bytes,
        fields["crypt"],
        l1_entries,
        l1_offset,
        0,
        0,
        0,
        0,
        fields["features"],
        0,
        0,
        4,
        112,
        fields["compression"],
    )


def clusters(*parts: bytes) -> bytes:
    return b"".join(part.ljust(CLUSTER, b"\0") for part in parts)


def late_tables(blocks: list[bytes]) -> bytes:
    """A file with all its data before its tables, as after a resize or snapshot."""
    count = len(blocks)
    l2 = b"".join(struct.pack(">Q", (1 << 63) | (1 + n) * CLUSTER) for n in range(count))
    l1 = struct.pack(">Q", (1 << 63) | (1 + count) * CLUSTER)
    return clusters(header(count * CLUSTER, (2 + count) * CLUSTER), *blocks, l2, l1)


@pytest.fixture(scope="module")
def plain() -> bytes:
    noise = random.Random(4)
    kinds = [lambda: noise.randbytes(CLUSTER), lambda: bytes(CLUSTER), lambda: noise.randbytes(64) * 1024]
    return b"".join(kinds[n % 3]() for n in range(401)) + noise.randbytes(512)


@needs_qemu_img
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-c"],
        ["-c", "-o", "compression_type=zstd"],
        ["-c", "-W", "-m", "16"],
        ["-o", "cluster_size=512"],
        ["-o", "cluster_size=2M"],
        ["-o", "compat=0.10"],
        ["-o", "lazy_refcounts=on"],
        ["-o", "preallocation=metadata"],
    ],
    ids=" ".join,
)
def test_whatever_qemu_img_makes_is_written_as_the_disk_it_holds(
    tmp_path: Path, make_disk: MakeDisk, plain: bytes, options: list[str]
) -> None:
    raw, packed = tmp_path / "raw", tmp_path / "qcow2"
    raw.write_bytes(plain)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, raw, packed], check=True)
    disk = make_disk(40 * MIB)
    assert write(packed.read_bytes(), disk) == len(plain)
    assert disk.read(0, len(plain)) == plain


@needs_qemu_img
def test_an_image_that_was_resized_and_snapshotted_is_read_right(
    tmp_path: Path, make_disk: MakeDisk, plain: bytes
) -> None:
    raw, packed = tmp_path / "raw", tmp_path / "qcow2"
    raw.write_bytes(plain)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, packed], check=True)
    subprocess.run(["qemu-img", "snapshot", "-c", "before", packed], check=True)
    subprocess.run(["qemu-io", "-c", "write -P 7 1M 3M", packed], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["qemu-img", "resize", "-q", packed, "30M"], check=True)
    disk = make_disk(40 * MIB)
    assert write(packed.read_bytes(), disk) == 30 * MIB
    changed = plain[:MIB] + b"\x07" * 3 * MIB + plain[4 * MIB :]
    assert disk.read(0, 30 * MIB) == changed.ljust(30 * MIB, b"\0")


def test_data_before_its_tables_is_set_aside_in_memory(make_disk: MakeDisk) -> None:
    blocks = [bytes([n]) * CLUSTER for n in range(1, 200)]
    disk = make_disk(len(blocks) * CLUSTER)
    write(late_tables(blocks), disk)
    assert disk.read(0, len(blocks) * CLUSTER) == b"".join(blocks)


@pytest.mark.parametrize("is_zeroed", [False, True])
def test_more_than_memory_may_hold_is_set_aside_behind_the_image(
    make_disk: MakeDisk, monkeypatch: pytest.MonkeyPatch, is_zeroed: bool
) -> None:
    monkeypatch.setattr(qcow2, "_PARKED_BYTES", MIB)
    monkeypatch.setattr(qcow2, "_WINDOW_BYTES", MIB)
    blocks = [bytes([1 + n % 250]) * CLUSTER for n in range(300)]
    size = len(blocks) * CLUSTER
    disk = make_disk(64 * MIB, fill=b"\0" if is_zeroed else b"\xaa")
    write(late_tables(blocks), disk, is_zeroed)
    assert disk.read(0, size) == b"".join(blocks)
    assert disk.read(-(-size // MIB) * MIB, MIB) == bytes(MIB)  # and cleaned up


def test_a_disk_without_room_to_set_aside_is_an_error_that_says_what_to_do(
    make_disk: MakeDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qcow2, "_PARKED_BYTES", MIB)
    monkeypatch.setattr(qcow2, "_WINDOW_BYTES", MIB)
    blocks = [bytes([1 + n % 250]) * CLUSTER for n in range(300)]
    with pytest.raises(ImageError, match="qemu-img convert"):
        write(late_tables(blocks), make_disk(20 * MIB))


def test_what_no_table_describes_becomes_zeros(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB)  # full of 0xAA
    write(clusters(header(8 * MIB, CLUSTER), bytes(CLUSTER)), disk)
    assert disk.read(0, 8 * MIB) == bytes(8 * MIB)


def test_an_image_larger_than_the_disk_is_refused_by_its_header(make_disk: MakeDisk) -> None:
    disk = make_disk(4 * MIB)
    with pytest.raises(ImageTooLarge):
        write(clusters(header(8 * MIB, CLUSTER), bytes(CLUSTER)), disk)
    assert disk.read(0, 512) == b"\xaa" * 512


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"backing": 512}, "backing file"),
        ({"crypt": 1}, "encrypted"),
        ({"features": 1 << 1}, "corrupt"),
        ({"features": 1 << 2}, "another file"),
        ({"features": 1 << 4}, "subclusters"),
        ({"features": 1 << 9}, "not known"),
        ({"version": 7}, "version 7"),
        ({"bits": 30}, "not allowed"),
        ({"l1_entries": 0}, "contradicts"),
    ],
)
def test_images_that_need_other_files_or_are_unknown_are_refused(
    make_disk: MakeDisk, changes: dict[str, int], why: str
) -> None:
    disk = make_disk()
    with pytest.raises(InvalidImage, match=why):
        write(clusters(header(MIB, CLUSTER, **changes), bytes(CLUSTER)), disk)
    assert disk.read(0, 512) == b"\xaa" * 512


def test_a_file_that_ends_early_is_an_error(make_disk: MakeDisk) -> None:
    whole = late_tables([b"\x01" * CLUSTER] * 20)
    with pytest.raises(ImageError, match="ends early"):
        write(whole[: 10 * CLUSTER], make_disk())
    lost = clusters(header(MIB, CLUSTER), struct.pack(">Q", 2 * CLUSTER), struct.pack(">Q", 9 * CLUSTER))
    with pytest.raises(ImageError, match="ends early"):
        write(lost, make_disk())
    with pytest.raises(InvalidImage, match="within the header"):
        write(whole[:50], make_disk())


def test_a_cluster_used_twice_is_an_error(make_disk: MakeDisk) -> None:
    l2 = struct.pack(">QQ", 3 * CLUSTER, 3 * CLUSTER)
    data = clusters(header(MIB, CLUSTER), struct.pack(">Q", 2 * CLUSTER), l2, b"\x01" * CLUSTER)
    with pytest.raises(ImageError, match="used twice"):
        write(data, make_disk())


def test_a_damaged_compressed_cluster_is_an_error(make_disk: MakeDisk) -> None:
    packed = zlib.compressobj(wbits=-12)
    good = packed.compress(b"\x05" * CLUSTER) + packed.flush()
    entry = struct.pack(">Q", (1 << 62) | (0 << 54) | 3 * CLUSTER)
    layout = [header(MIB, CLUSTER), struct.pack(">Q", 2 * CLUSTER), entry]
    disk = make_disk()
    write(clusters(*layout, good), disk)
    assert disk.read(0, CLUSTER) == b"\x05" * CLUSTER
    with pytest.raises(ImageError, match="damaged"):
        write(clusters(*layout, b"\xff" * 512), make_disk())
