"""The memory.

Source: SMBIOS 3.x (DMTF DSP0134), structure type 17 "Memory Device"; proc(5) for ``MemTotal``.
"""

import struct
from pathlib import Path
from typing import NamedTuple

_MEMORY_DEVICE = 17
_END_OF_TABLE = 127


class Memory(NamedTuple):
    """Sizes of the main memory."""

    #: Bytes the kernel manages.
    total: int
    #: MiB plugged in, which is what flavors are matched with; None when the firmware does not say.
    physical_mb: int | None


def read_memory(root: Path = Path("/")) -> Memory:
    """The memory of ``/proc/meminfo`` and of the firmware's SMBIOS table."""
    total = 0
    for line in (root / "proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            total = int(line.split()[1]) * 1024
    try:
        table = (root / "sys/firmware/dmi/tables/DMI").read_bytes()
    except OSError:
        table = b""
    return Memory(total, sum_memory_devices_mb(table) or None)


def sum_memory_devices_mb(table: bytes) -> int:
    """MiB of all memory devices in an SMBIOS table; 0 when there are none or the table is cut off."""
    total_mb, position = 0, 0
    while position + 4 <= len(table):
        kind, length = table[position], table[position + 1]
        if kind == _END_OF_TABLE or length < 4:
            break
        body = table[position : position + length]
        if kind == _MEMORY_DEVICE and len(body) >= 14:
            total_mb += _device_mb(body)
        # The strings that belong to a structure follow it and end with two NULs.
        end = table.find(b"\0\0", position + length)
        if end < 0:
            break
        position = end + 2
    return total_mb


def _device_mb(body: bytes) -> int:
    (size,) = struct.unpack_from("<H", body, 12)
    if size in (0, 0xFFFF):  # empty socket, unknown
        return 0
    if size == 0x7FFF and len(body) >= 32:  # too large for 16 bits: the extended size, in MiB
        return int(struct.unpack_from("<I", body, 28)[0] & 0x7FFFFFFF)
    kib_or_mib = int(size & 0x7FFF)
    return kib_or_mib // 1024 if size & 0x8000 else kib_or_mib
