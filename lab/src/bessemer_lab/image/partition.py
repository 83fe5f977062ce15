"""GUID partition tables, written to plain files.

Source: UEFI specification 2.10, chapter 5.
"""

import struct
import uuid
import zlib
from dataclasses import dataclass

SECTOR = 512
MIB = 1 << 20

ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
LINUX_ROOT_X86_64 = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")

_ENTRIES = 128
_ENTRY_BYTES = 128
#: The table's own sectors at the end of a disk: the second copy of the entries, and of the header.
_TAIL_SECTORS = _ENTRIES * _ENTRY_BYTES // SECTOR + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition; places and sizes in bytes, multiples of 1 MiB."""

    kind: uuid.UUID
    identity: uuid.UUID
    name: str
    start_bytes: int
    size_bytes: int

    @property
    def first_sector(self) -> int:
        return self.start_bytes // SECTOR

    @property
    def last_sector(self) -> int:
        return (self.start_bytes + self.size_bytes) // SECTOR - 1


def plan_table(partitions: list[Partition], disk: uuid.UUID, disk_bytes: int) -> dict[int, bytes]:
    """What to write where (offset in bytes) so that a disk has these partitions.

    The boot code in the first 440 bytes is not part of it.
    """
    sectors = disk_bytes // SECTOR
    entries = b"".join(_pack_entry(partition) for partition in partitions)
    entries = entries.ljust(_ENTRIES * _ENTRY_BYTES, b"\0")
    last = sectors - 1
    return {
        440: _pack_protective_record(sectors)[440:],
        SECTOR: _pack_header(entries, disk, sectors, own=1, other=last, table=2),
        2 * SECTOR: entries,
        (sectors - _TAIL_SECTORS) * SECTOR: entries,
        last * SECTOR: _pack_header(entries, disk, sectors, own=last, other=1, table=sectors - _TAIL_SECTORS),
    }


def _pack_entry(partition: Partition) -> bytes:
    return struct.pack(
        "<16s16sQQQ72s",
        partition.kind.bytes_le,
        partition.identity.bytes_le,
        partition.first_sector,
        partition.last_sector,
        0,
        partition.name.encode("utf-16-le"),
    )


def _pack_header(entries: bytes, disk: uuid.UUID, sectors: int, *, own: int, other: int, table: int) -> bytes:
    first_usable, last_usable = 1 + _TAIL_SECTORS, sectors - 1 - _TAIL_SECTORS
    places = (own, other, first_usable, last_usable)
    tail = (disk.bytes_le, table, _ENTRIES, _ENTRY_BYTES, zlib.crc32(entries))

    def pack(checksum: int) -> bytes:
        return struct.pack("<8s4sIIIQQQQ16sQIII", b"EFI PART", b"\0\0\1\0", 92, checksum, 0, *places, *tail)

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def _pack_protective_record(sectors: int) -> bytes:
    """A master boot record with one partition that covers the disk, so that old tools keep off."""
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(sectors - 1, 0xFFFFFFFF))
    return (bytes(446) + entry).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"
