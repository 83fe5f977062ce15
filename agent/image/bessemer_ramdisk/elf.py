"""Which shared libraries a program names as needed.

Source: System V ABI, chapters 4 and 5 (ELF header, program header, dynamic section).
"""

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5


def read_needed(path: Path) -> list[str]:
    """The libraries a 64-bit little-endian ELF file needs; empty for anything else, and for static
    programs.
    """
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, offset + size * n) for n in range(count)]
    loads = [
        (address, start, length) for kind, _, start, address, _, length, _, _ in segments if kind == _PT_LOAD
    ]
    for kind, _, start, _, _, length, _, _ in segments:
        if kind == _PT_DYNAMIC:
            return _read_dynamic(data, start, length, loads)
    return []


def _read_dynamic(data: bytes, start: int, length: int, loads: list[tuple[int, int, int]]) -> list[str]:
    needed, strings = [], 0
    for tag, value in struct.iter_unpack("<QQ", data[start : start + length // 16 * 16]):
        if tag == _DT_NULL:
            break
        if tag == _DT_NEEDED:
            needed.append(value)
        elif tag == _DT_STRTAB:
            strings = next(value - at + where for at, where, size in loads if at <= value < at + size)
    return [data[strings + at : data.index(b"\0", strings + at)].decode() for at in needed]
