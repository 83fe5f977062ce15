"""The files of an archive, by path."""

import stat
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """One file, folder, link or device node. Owner is root, the time is the build's."""

    mode: int
    data: bytes = b""
    #: Read when the archive is written, so that a tree of files need not be in memory.
    source: Path | None = None
    #: Major and minor number of a device node.
    device: tuple[int, int] = (0, 0)

    def read(self) -> bytes:
        """The content: of a link its target, of folders and nodes nothing."""
        return self.source.read_bytes() if self.source else self.data


#: Entries by path without leading slash; parent folders need not be named.
Entries = dict[str, Entry]


def text_entry(text: str, mode: int = 0o644) -> Entry:
    """A file with this text."""
    return Entry(stat.S_IFREG | mode, text.encode())


def link_entry(target: str) -> Entry:
    """A symbolic link."""
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def folder_entry(mode: int = 0o755) -> Entry:
    """A folder."""
    return Entry(stat.S_IFDIR | mode)


def node_entry(major: int, minor: int, mode: int = 0o600) -> Entry:
    """A character device."""
    return Entry(stat.S_IFCHR | mode, device=(major, minor))


def file_entry(path: Path) -> Entry:
    """A file or link as it is on disk, its permissions reduced to executable or not."""
    if path.is_symlink():
        return link_entry(str(path.readlink()))
    is_executable = bool(path.stat().st_mode & stat.S_IXUSR)
    return Entry(stat.S_IFREG | (0o755 if is_executable else 0o644), source=path)
