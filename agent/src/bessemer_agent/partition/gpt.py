"""GUID partition tables.

Source: UEFI Specification 2.10, chapter 5 "GUID Partition Table (GPT) Disk Layout".
"""

import struct
import uuid
import zlib

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.partition import NoRoom, Partition, PartitionTableError

ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
LINUX_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
LINUX_RAID = "A19D880F-05FC-4D3B-A006-743F0F84911E"

_SIGNATURE = b"EFI PART"
#: signature, revision, header size, header CRC, reserved, my LBA, alternate LBA, first and last usable LBA,
#: disk GUID, entries LBA, number of entries, size of one, entries CRC.
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_HEADER_BYTES = 92
#: type GUID, unique GUID, first LBA, last LBA, attributes, name.
_ENTRY = struct.Struct("<16s16sQQQ72s")
_UNUSED = bytes(16)


class Gpt:
    """A table in memory; nothing reaches the disk before :meth:`write`."""

    def __init__(
        self, disk_guid: bytes, entries: bytearray, entry_bytes: int, first_usable: int, sector_bytes: int
    ) -> None:
        self._disk_guid = disk_guid
        self._entries = entries
        self._entry_bytes = entry_bytes
        self._first_usable = first_usable
        self._sector_bytes = sector_bytes

    @property
    def identifier(self) -> str:
        """The disk's GUID in lower case."""
        return str(uuid.UUID(bytes_le=self._disk_guid))

    @property
    def partitions(self) -> list[Partition]:
        """The partitions in use, in table order."""
        found = []
        for number, position in enumerate(range(0, len(self._entries), self._entry_bytes), start=1):
            kind, unique, first, last, _, name = _ENTRY.unpack_from(self._entries, position)
            if kind != _UNUSED:
                found.append(
                    Partition(
                        number=number,
                        start=first * self._sector_bytes,
                        size=(last - first + 1) * self._sector_bytes,
                        kind=str(uuid.UUID(bytes_le=kind)).upper(),
                        name=name.decode("utf-16-le", "replace").partition("\0")[0],
                        uuid=str(uuid.UUID(bytes_le=unique)),
                    )
                )
        return found

    def add_at_end(self, disk_bytes: int, size: int, kind: str, name: str) -> Partition:
        """Add a partition of ``size`` bytes as near to the disk's end as alignment (1 MiB) allows.

        Raises:
            NoRoom: The last partition reaches too far, or all entries are in use.
        """
        start = ((self._last_usable(disk_bytes) + 1) * self._sector_bytes - size) // MIB * MIB
        return self.add(start, size, kind, name)

    def add(self, start: int, size: int, kind: str, name: str) -> Partition:
        """Add a partition of ``size`` bytes at ``start``, behind all others.

        Raises:
            NoRoom: Another partition reaches into it, or all entries are in use.
        """
        used = {partition.number for partition in self.partitions}
        end_of_used = max((part.start + part.size for part in self.partitions), default=0)
        number = next((n for n in range(1, self._entry_count + 1) if n not in used), None)
        if start < max(end_of_used, self._first_usable * self._sector_bytes) or number is None:
            raise NoRoom(f"no {size // MIB} MiB are free after the last partition")
        entry = _ENTRY.pack(
            uuid.UUID(kind).bytes_le,
            uuid.uuid4().bytes_le,
            start // self._sector_bytes,
            (start + size) // self._sector_bytes - 1,
            0,
            name.encode("utf-16-le"),
        )
        position = (number - 1) * self._entry_bytes
        self._entries[position : position + len(entry)] = entry
        return next(partition for partition in self.partitions if partition.number == number)

    def write(self, disk: Disk) -> None:
        """Write both copies, the backup at the disk's very end, and a protective MBR that covers the disk.

        The backup goes first: whenever the power fails, one copy is whole. Idempotent.

        Raises:
            PartitionTableError: A partition lies beyond the disk's end.
        """
        last_lba = disk.size_bytes // self._sector_bytes - 1
        last_usable = self._last_usable(disk.size_bytes)
        for partition in self.partitions:
            if partition.start + partition.size > (last_usable + 1) * self._sector_bytes:
                raise PartitionTableError(f"partition {partition.number} reaches beyond the disk's end")

        def header(my_lba: int, other_lba: int, entries_lba: int) -> bytes:
            fields = [_SIGNATURE, 0x00010000, _HEADER_BYTES, 0, 0, my_lba, other_lba, self._first_usable]
            fields += [last_usable, self._disk_guid, entries_lba]
            fields += [self._entry_count, self._entry_bytes, zlib.crc32(self._entries)]
            fields[3] = zlib.crc32(_HEADER.pack(*fields))
            return _HEADER.pack(*fields).ljust(self._sector_bytes, b"\0")

        sector = self._sector_bytes
        disk.write((last_usable + 1) * sector, self._padded_entries)
        disk.write(last_lba * sector, header(last_lba, 1, last_usable + 1))
        disk.flush()
        disk.write(2 * sector, self._padded_entries)
        disk.write(sector, header(1, last_lba, 2))
        _cover_whole_disk(disk, last_lba)
        disk.flush()

    @property
    def _entry_count(self) -> int:
        return len(self._entries) // self._entry_bytes

    @property
    def _padded_entries(self) -> bytes:
        sector = self._sector_bytes
        return bytes(self._entries).ljust(-(-len(self._entries) // sector) * sector, b"\0")

    def _last_usable(self, disk_bytes: int) -> int:
        return disk_bytes // self._sector_bytes - 2 - len(self._padded_entries) // self._sector_bytes


def new_gpt(disk: Disk) -> Gpt:
    """An empty table for a disk without one; the protective MBR is put on the disk at once."""
    sector, entry_bytes = disk.sector_bytes, 128
    entries = bytearray(128 * entry_bytes)
    first_usable = 2 + -(-len(entries) // sector)
    mbr = bytearray(512)
    struct.pack_into("<B3sB3sII", mbr, 446, 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, 0xFFFFFFFF)
    mbr[510:] = b"\x55\xaa"
    disk.write(0, mbr)
    return Gpt(uuid.uuid4().bytes_le, entries, entry_bytes, first_usable, sector)


def read_gpt(disk: Disk) -> Gpt | None:
    """The disk's table, from the backup when the primary copy is damaged; None when there is none.

    Raises:
        PartitionTableError: There is one, but no copy of it is whole, or it was made for disks with another
            sector size.
    """
    sector = disk.sector_bytes
    copies = [disk.read(sector, sector), disk.read(disk.size_bytes - sector, sector)]
    for header in copies:
        gpt = _parse(disk, header)
        if gpt:
            return gpt
    if any(header.startswith(_SIGNATURE) for header in copies):
        raise PartitionTableError("both copies of the partition table are damaged")
    other = 512 if sector != 512 else 4096
    if disk.read(other, len(_SIGNATURE)) == _SIGNATURE:
        raise PartitionTableError(f"it is for {other}-byte sectors, this disk has {sector}-byte ones")
    return None


def _parse(disk: Disk, header: bytes) -> Gpt | None:
    if len(header) < _HEADER_BYTES or not header.startswith(_SIGNATURE):
        return None
    fields = list(_HEADER.unpack_from(header))
    size, crc, first_usable, guid = fields[2], fields[3], fields[7], fields[9]
    entries_lba, count, entry_bytes, entries_crc = fields[10:14]
    blank = header[:16] + bytes(4) + header[20:size]
    if not _HEADER_BYTES <= size <= len(header) or zlib.crc32(blank) != crc:
        return None
    if entry_bytes < _ENTRY.size or entry_bytes % 8 or not 1 <= count <= 4096:
        return None
    entries = disk.read(entries_lba * disk.sector_bytes, count * entry_bytes)
    if len(entries) != count * entry_bytes or zlib.crc32(entries) != entries_crc:
        return None
    return Gpt(guid, bytearray(entries), entry_bytes, first_usable, disk.sector_bytes)


def _cover_whole_disk(disk: Disk, last_lba: int) -> None:
    """Let the protective MBR's entry end where the disk ends; a hybrid MBR is left as it is."""
    mbr = bytearray(disk.read(0, 512))
    entries = [mbr[position : position + 16] for position in range(446, 510, 16)]
    kinds = [entry[4] for entry in entries]
    if mbr[510:] == b"\x55\xaa" and kinds.count(0xEE) == 1 and sorted(kinds)[:3] == [0, 0, 0]:
        position = 446 + 16 * kinds.index(0xEE)
        struct.pack_into("<II", mbr, position + 8, 1, min(last_lba, 0xFFFFFFFF))
        disk.write(0, mbr)
