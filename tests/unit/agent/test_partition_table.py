import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable

import pytest

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import DeviceError
from bessemer_agent.partition import NoRoom, PartitionTableError, gpt
from bessemer_agent.partition.gpt import read_gpt
from bessemer_agent.partition.mbr import Mbr, read_mbr
from bessemer_agent.partition.table import (
    find_esp,
    linux_data_kind,
    partition_node,
    read_table,
    wait_for_node,
)
from unit.agent.table_maker import new_gpt, put_mbr

MakeDisk = Callable[..., Disk]
needs_sgdisk = pytest.mark.skipif(shutil.which("sgdisk") is None, reason="gdisk is not installed")


def test_an_empty_disk_has_no_table(make_disk: MakeDisk) -> None:
    assert read_table(make_disk(fill=b"\0")) is None


def test_a_table_written_is_read_again(make_disk: MakeDisk) -> None:
    disk = make_disk(fill=b"\0")
    table = new_gpt(disk)
    added = table.add_at_end(disk.size_bytes, 4 * MIB, gpt.ESP, "EFI system")
    table.write(disk)
    read = read_gpt(disk)
    assert read is not None
    assert read.partitions == [added]
    assert read.identifier == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert (added.number, added.size, added.kind, added.name) == (1, 4 * MIB, gpt.ESP, "EFI system")
    assert added.start % MIB == 0


def test_a_table_made_for_a_smaller_disk_is_moved_to_the_end(make_disk: MakeDisk) -> None:
    small, large = make_disk(8 * MIB, fill=b"\0"), make_disk(32 * MIB, fill=b"\0")
    new_gpt(small)
    large.write(0, small.read(0, small.size_bytes))
    table = read_gpt(large)
    assert table is not None
    table.write(large)
    assert large.read(large.size_bytes - 512, 8) == b"EFI PART"
    assert struct.unpack("<I", large.read(446 + 12, 4))[0] == large.size_bytes // 512 - 1
    large.write(512, bytes(512))  # the primary copy is lost: the moved backup must do
    assert read_gpt(large) is not None


def test_a_damaged_primary_copy_is_replaced_by_the_backup(make_disk: MakeDisk) -> None:
    disk = make_disk(fill=b"\0")
    table = new_gpt(disk)
    table.add_at_end(disk.size_bytes, MIB, gpt.LINUX_DATA, "x")
    table.write(disk)
    disk.write(512 + 30, b"\xff")
    read = read_gpt(disk)
    assert read is not None
    assert [partition.name for partition in read.partitions] == ["x"]


def test_two_damaged_copies_are_an_error(make_disk: MakeDisk) -> None:
    disk = make_disk(fill=b"\0")
    new_gpt(disk)
    disk.write(512 + 30, b"\xff")
    disk.write(disk.size_bytes - 512 + 30, b"\xff")
    with pytest.raises(PartitionTableError, match="damaged"):
        read_gpt(disk)


def test_a_table_for_another_sector_size_is_an_error_that_says_so(make_disk: MakeDisk) -> None:
    disk = make_disk(fill=b"\0")
    new_gpt(disk)
    disk.sector_bytes = 4096
    with pytest.raises(PartitionTableError, match=r"512-byte sectors.*4096"):
        read_gpt(disk)


def test_a_partition_is_not_added_where_the_last_one_ends(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    table = new_gpt(disk)
    table.add_at_end(disk.size_bytes, 10 * MIB, gpt.LINUX_DATA, "a")
    with pytest.raises(NoRoom):
        table.add_at_end(disk.size_bytes, 8 * MIB, gpt.LINUX_DATA, "b")


def test_a_table_whose_partition_lies_beyond_the_disk_is_not_written(make_disk: MakeDisk) -> None:
    large, small = make_disk(32 * MIB, fill=b"\0"), make_disk(8 * MIB, fill=b"\0")
    table = new_gpt(large)
    table.add_at_end(large.size_bytes, 4 * MIB, gpt.LINUX_DATA, "a")
    with pytest.raises(PartitionTableError, match="beyond"):
        table.write(small)


@needs_sgdisk
def test_sgdisk_agrees_with_the_table(make_disk: MakeDisk) -> None:
    disk = make_disk(64 * MIB, fill=b"\0")
    subprocess.run(
        ["sgdisk", "-n", "1:2048:+8M", "-t", "1:EF00", "-c", "1:esp", "-n", "2:0:+8M", disk.path], check=True
    )
    with open(disk.path, "r+b") as stream:  # noqa: PTH123 - path is text
        stream.truncate(100 * MIB)
    disk.size_bytes = 100 * MIB
    table = read_gpt(disk)
    assert table is not None
    assert [(part.number, part.size, part.name) for part in table.partitions] == [
        (1, 8 * MIB, "esp"),
        (2, 8 * MIB, ""),
    ]
    esp = find_esp(table)
    assert esp is not None
    assert esp.number == 1
    table.add_at_end(disk.size_bytes, 16 * MIB, gpt.LINUX_DATA, "config-2")
    table.write(disk)
    verdict = subprocess.run(["sgdisk", "-v", disk.path], check=True, capture_output=True, text=True).stdout
    assert "No problems found" in verdict
    shown = subprocess.run(
        ["sgdisk", "-i", "3", disk.path], check=True, capture_output=True, text=True
    ).stdout
    assert "config-2" in shown
    assert "Linux filesystem" in shown


def test_header_checksums_follow_the_specification(make_disk: MakeDisk) -> None:
    disk = make_disk(fill=b"\0")
    new_gpt(disk)
    header = bytearray(disk.read(512, 92))
    (crc,) = struct.unpack_from("<I", header, 16)
    struct.pack_into("<I", header, 16, 0)
    assert zlib.crc32(header) == crc


def test_an_mbr_is_read_with_its_signature(make_disk: MakeDisk) -> None:
    disk = make_disk()
    put_mbr(disk, (0xEF, 2048, 2048), (0x83, 4096, 4096))
    table = read_table(disk)
    assert isinstance(table, Mbr)
    assert table.identifier == "0x12345678"
    assert [(part.number, part.start, part.size, part.kind) for part in table.partitions] == [
        (1, MIB, MIB, "0xef"),
        (2, 2 * MIB, 2 * MIB, "0x83"),
    ]
    esp = find_esp(table)
    assert esp is not None
    assert esp.number == 1
    assert linux_data_kind(table) == "0x83"


def test_a_file_systems_boot_sector_is_not_taken_for_an_mbr(make_disk: MakeDisk) -> None:
    disk = make_disk()  # 0xAA everywhere: statuses no table has
    disk.write(510, b"\x55\xaa")
    assert read_mbr(disk) is None


def test_a_partition_is_added_to_an_mbr_at_the_disks_end(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB)
    put_mbr(disk, (0x83, 2048, 2048))
    table = read_mbr(disk)
    assert table is not None
    added = table.add_at_end(disk.size_bytes, 4 * MIB, "0x83", "config-2")
    table.write(disk)
    assert (added.number, added.start, added.size) == (2, 12 * MIB, 4 * MIB)
    read = read_mbr(disk)
    assert read is not None
    assert added in read.partitions


def test_a_fifth_primary_partition_is_refused(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB)
    put_mbr(disk, *((0x83, 2048 * n, 2048) for n in range(1, 5)))
    table = read_mbr(disk)
    assert table is not None
    with pytest.raises(NoRoom):
        table.add_at_end(disk.size_bytes, MIB, "0x83", "")


def test_a_partition_in_an_mbr_stays_below_two_tebibytes(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB)
    put_mbr(disk, (0x83, 2048, 2048))
    table = read_mbr(disk)
    assert table is not None
    added = table.add_at_end(4 * 1024**4, 64 * MIB, "0x83", "")
    assert added.start + added.size <= 2**32 * 512


def test_partition_nodes_are_named_as_the_kernel_does() -> None:
    assert partition_node("/dev/sda", 1) == "/dev/sda1"
    assert partition_node("/dev/nvme0n1", 2) == "/dev/nvme0n1p2"


def test_waiting_for_a_node_that_never_appears_is_an_error() -> None:
    with pytest.raises(DeviceError, match="did not appear"):
        wait_for_node("/nonexistent/disk", 1, timeout_s=0.0)
