"""Initramfs archives: cpio in the "newc" format, written without root; the same content gives the same bytes.

Source: Linux kernel, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive. ``mode`` holds the file type too; ``device`` is (major, minor)."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str) -> Entry:
    return Entry(name, stat.S_IFDIR | 0o755)


def regular_file(name: str, data: bytes, *, is_executable: bool = False) -> Entry:
    return Entry(name, stat.S_IFREG | (0o755 if is_executable else 0o644), data)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character_device(name: str, major: int, minor: int) -> Entry:
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def pack_archive(entries: list[Entry]) -> bytes:
    """The archive; directories must come before what is in them."""
    parts = [_pack(entry, number) for number, entry in enumerate(entries, start=1)]
    return b"".join([*parts, _pack(Entry("TRAILER!!!", 0), 0)])


def _pack(entry: Entry, number: int) -> bytes:
    name = entry.name.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name size, checksum
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, *entry.device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields)
    return _pad(header + name) + _pad(entry.data)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
