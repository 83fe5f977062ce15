"""Which part of which disk each array gets.

Every disk begins with room for a copy of the EFI system partition: firmware cannot read arrays. Then come the
parts of the arrays, those of given size first.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bessemer_agent.disk import MIB
from bessemer_agent.partition import NoRoom
from bessemer_agent.raid.volume import Volume

#: Where partitions begin, and how large the copy of the EFI system partition is.
FIRST = MIB
ESP_BYTES = 550 * MIB
#: The number of its partition: it is the first.
ESP_NUMBER = 1
#: Room that an array needs on each disk besides its data (superblock, bitmap, reshaping).
_OVERHEAD = 130 * MIB
#: The backup of the partition table at a disk's end.
_TAIL = MIB
_LEAST_PART = 200 * MIB


class Part(NamedTuple):
    """A part of a disk for one array; bytes, multiples of a MiB."""

    disk: str
    start: int
    size: int


def plan_parts(
    volumes: Sequence[Volume], disks: Sequence[Sequence[str]], sizes: Mapping[str, int]
) -> list[list[Part]]:
    """For each volume its parts, one on each of its ``disks``; ``sizes`` are the bytes of every disk.

    Raises:
        NoRoom: A volume does not fit; says which, and how much is missing.
    """
    free_from = dict.fromkeys(sizes, FIRST + ESP_BYTES)
    parts: dict[int, list[Part]] = {}
    # What takes the rest comes last, wherever it is in the list.
    for index in sorted(range(len(volumes)), key=lambda index: volumes[index].size is None):
        volume, names = volumes[index], disks[index]
        room = min((sizes[name] - _TAIL - free_from[name]) // MIB * MIB for name in names)
        size = room if volume.size is None else _part_bytes(volume, len(names))
        if size > room or size < _LEAST_PART:
            wanted = max(size, _LEAST_PART)
            raise NoRoom(
                f"RAID {volume.level} needs {wanted // MIB} MiB on each of {', '.join(names)}; "
                f"{max(room, 0) // MIB} MiB are free"
            )
        parts[index] = [Part(name, free_from[name], size) for name in names]
        for name in names:
            free_from[name] += size
    return [parts[index] for index in range(len(volumes))]


def _part_bytes(volume: Volume, count: int) -> int:
    """What one disk gives so that the array has its size at least."""
    data = math.ceil((volume.size or 0) / volume.data_disks(count) / MIB) * MIB
    return data + _OVERHEAD
