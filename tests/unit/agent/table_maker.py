"""Partition tables put on disks for tests."""

import struct

from bessemer_agent.disk import Disk
from bessemer_agent.partition.gpt import Gpt


def new_gpt(disk: Disk) -> Gpt:
    table = Gpt(bytes(range(16)), bytearray(128 * 128), 128, 34, disk.sector_bytes)
    protective = bytearray(512)
    struct.pack_into("<B3sB3sII", protective, 446, 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, 99)
    protective[510:] = b"\x55\xaa"
    disk.write(0, protective)
    table.write(disk)
    return table


def put_mbr(disk: Disk, *entries: tuple[int, int, int]) -> None:
    sector = bytearray(512)
    sector[440:444] = bytes.fromhex("78563412")
    for index, (kind, first, count) in enumerate(entries):
        struct.pack_into("<B3sB3sII", sector, 446 + 16 * index, 0, b"", kind, b"", first, count)
    sector[510:] = b"\x55\xaa"
    disk.write(0, sector)
