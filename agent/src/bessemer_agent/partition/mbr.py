"""Master boot records with up to four primary partitions.

Logical partitions inside an extended one are not listed: nothing here needs them, and the extended partition
keeps their room.
"""

import struct

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.partition import NoRoom, Partition

ESP = "0xef"
LINUX_DATA = "0x83"

_TABLE_OFFSET = 446
#: status, first CHS, type, last CHS, first sector, sectors.
_ENTRY = struct.Struct("<B3sB3sII")
_PROTECTIVE = 0xEE
#: "Address beyond CHS": what every tool writes today.
_NO_CHS = b"\xfe\xff\xff"


class Mbr:
    """A table in memory; nothing reaches the disk before :meth:`write`."""

    def __init__(self, sector: bytearray, sector_bytes: int) -> None:
        self._sector = sector
        self._sector_bytes = sector_bytes

    @property
    def identifier(self) -> str:
        """The disk signature, e.g. "0x1b2c3d4e"."""
        return f"0x{struct.unpack_from('<I', self._sector, 440)[0]:08x}"

    @property
    def partitions(self) -> list[Partition]:
        """The primary partitions in use, in table order."""
        found = []
        for number in range(1, 5):
            _, _, kind, _, first, count = _ENTRY.unpack_from(self._sector, _position(number))
            if kind and count:
                start, size = first * self._sector_bytes, count * self._sector_bytes
                found.append(Partition(number, start, size, f"0x{kind:02x}", "", ""))
        return found

    def add_at_end(self, disk_bytes: int, size: int, kind: str, name: str) -> Partition:
        """Add a primary partition of ``size`` bytes as near to the disk's end as alignment (1 MiB) and the
        table's 32-bit sector numbers allow. ``name`` is not kept: this table has no names.

        Raises:
            NoRoom: The last partition reaches too far, or all four entries are in use.
        """
        del name
        used = {partition.number for partition in self.partitions}
        end_of_used = max((part.start + part.size for part in self.partitions), default=MIB)
        start = (min(disk_bytes, 2**32 * self._sector_bytes) - size) // MIB * MIB
        number = next((n for n in range(1, 5) if n not in used), None)
        if start < end_of_used or number is None:
            raise NoRoom(f"no {size // MIB} MiB are free after the last partition, or all four are in use")
        entry = (0, _NO_CHS, int(kind, 16), _NO_CHS, start // self._sector_bytes, size // self._sector_bytes)
        _ENTRY.pack_into(self._sector, _position(number), *entry)
        return next(partition for partition in self.partitions if partition.number == number)

    def write(self, disk: Disk) -> None:
        """Write the table. Idempotent."""
        disk.write(0, self._sector)
        disk.flush()


def read_mbr(disk: Disk) -> Mbr | None:
    """The disk's table; None when there is none, when it only protects a GPT, or when the first sector
    belongs to a file system (whose boot code also ends in 55 AA).
    """
    sector = bytearray(disk.read(0, 512))
    if len(sector) < 512 or sector[510:] != b"\x55\xaa":
        return None
    mbr = Mbr(sector, disk.sector_bytes)
    statuses = {sector[_position(number)] for number in range(1, 5)}
    kinds = {int(partition.kind, 16) for partition in mbr.partitions}
    if statuses - {0x00, 0x80} or not kinds or _PROTECTIVE in kinds:
        return None
    return mbr


def _position(number: int) -> int:
    return _TABLE_OFFSET + 16 * (number - 1)
