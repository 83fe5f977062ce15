import base64
import gzip
from collections.abc import Callable

import pytest

from bessemer_agent.config_drive import LIMIT_BYTES, fetch_config_drive, read_label, write_config_drive
from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import ConfigDriveError
from bessemer_agent.http_client import HttpClient
from bessemer_agent.partition import gpt
from bessemer_agent.partition.gpt import Gpt
from bessemer_agent.partition.mbr import read_mbr
from bessemer_agent.partition.table import read_table
from unit.agent.image_server import ImageServer
from unit.agent.table_maker import new_gpt, put_mbr

MakeDisk = Callable[..., Disk]
CLIENT = HttpClient(5.0)


def iso(size: int = 400 * 1024, label: str = "config-2", mark: bytes = b"first") -> bytes:
    descriptor = (b"\x01CD001\x01\0" + bytes(32) + label.encode().ljust(32)).ljust(2048, b"\0")
    return (bytes(16 * 2048) + descriptor + mark).ljust(size, b"\0")


def pack(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def test_base64_of_gzip_is_unpacked() -> None:
    wrapped = "\n".join(pack(iso())[start : start + 76] for start in range(0, len(pack(iso())), 76))
    assert fetch_config_drive(wrapped, CLIENT) == iso()


def test_a_url_may_lead_to_base64_or_to_the_gzip_file_itself(image_server: ImageServer) -> None:
    image_server.files |= {"/text": pack(iso()).encode(), "/file": gzip.compress(iso())}
    assert fetch_config_drive(image_server.url("/text"), CLIENT) == iso()
    assert fetch_config_drive(image_server.url("/file"), CLIENT) == iso()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("&&&&", "not base64"),
        (base64.b64encode(gzip.compress(b"x" * 1000, mtime=0)[:-12]).decode(), "ends early"),
        (base64.b64encode(b"\x1f\x8b\x08" + b"\xff" * 50).decode(), "damaged"),
        (pack(b""), "empty"),
        (pack(bytes(LIMIT_BYTES + 1)), "larger than 64 MiB"),
    ],
)
def test_what_is_no_config_drive_is_refused(given: str, why: str) -> None:
    with pytest.raises(ConfigDriveError, match=why):
        fetch_config_drive(given, CLIENT)


def test_a_url_that_does_not_answer_is_an_error_without_its_query(image_server: ImageServer) -> None:
    with pytest.raises(ConfigDriveError, match="404") as caught:
        fetch_config_drive(image_server.url("/nothing?signature=s3cret"), CLIENT)
    assert "s3cret" not in str(caught.value)


def test_a_partition_is_made_at_the_end_of_a_gpt_disk(make_disk: MakeDisk) -> None:
    disk = make_disk(128 * MIB, fill=b"\0")
    new_gpt(disk)
    partition = write_config_drive(disk, iso())
    assert (partition.name, partition.kind, partition.size) == ("config-2", gpt.LINUX_DATA, 64 * MIB)
    assert disk.read(partition.start, len(iso())) == iso()


def test_a_smaller_partition_is_made_where_there_is_less_room(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    new_gpt(disk)
    assert write_config_drive(disk, iso()).size == MIB


def test_the_partition_of_a_former_deployment_is_used_again(make_disk: MakeDisk) -> None:
    disk = make_disk(128 * MIB, fill=b"\0")
    new_gpt(disk)
    first = write_config_drive(disk, iso())
    second = write_config_drive(disk, iso(mark=b"second"))
    assert second == first
    table = read_table(disk)
    assert table is not None
    assert len(table.partitions) == 1
    assert disk.read(second.start, len(iso())) == iso(mark=b"second")


def test_a_partition_of_the_image_with_the_right_label_is_used(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    put_mbr(disk, (0x83, 2048, 2048), (0x83, 4096, 2048))
    disk.write(2 * MIB, iso(label="CONFIG-2", size=100 * 1024))
    assert write_config_drive(disk, iso()).number == 2


def test_a_partition_is_made_at_the_end_of_an_mbr_disk(make_disk: MakeDisk) -> None:
    disk = make_disk(128 * MIB, fill=b"\0")
    put_mbr(disk, (0x83, 2048, 2048))
    partition = write_config_drive(disk, iso())
    table = read_mbr(disk)
    assert table is not None
    assert partition in table.partitions
    assert partition.start + partition.size == disk.size_bytes


def test_a_labelled_partition_that_is_too_small_is_an_error(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    put_mbr(disk, (0x83, 2048, 2048))
    disk.write(MIB, iso())
    with pytest.raises(ConfigDriveError, match="partition 1"):
        write_config_drive(disk, iso(size=2 * MIB))


def test_a_full_disk_and_one_without_table_are_errors(make_disk: MakeDisk) -> None:
    disk = make_disk(16 * MIB, fill=b"\0")
    table: Gpt = new_gpt(disk)
    table.add_at_end(disk.size_bytes, 14 * MIB, gpt.LINUX_DATA, "all")
    table.write(disk)
    with pytest.raises(ConfigDriveError, match="no 1 MiB are free"):
        write_config_drive(disk, iso())
    with pytest.raises(ConfigDriveError, match="no partition table"):
        write_config_drive(make_disk(fill=b"\0"), iso())


def test_labels_of_fat_file_systems_are_read() -> None:
    fat16, fat32 = bytearray(512), bytearray(512)
    fat16[43:54], fat16[54:59] = b"CONFIG-2   ", b"FAT16"
    fat32[71:82], fat32[82:87] = b"config-2   ", b"FAT32"
    for head in (fat16, fat32):
        head[510:] = b"\x55\xaa"
    assert read_label(bytes(fat16)) == "CONFIG-2"
    assert read_label(bytes(fat32)) == "config-2"
    assert read_label(bytes(512)) is None
