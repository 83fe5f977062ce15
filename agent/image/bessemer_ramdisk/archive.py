"""Writing cpio archives as the kernel unpacks them, compressed with zstd; equal entries give equal bytes.

Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
"""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bessemer_ramdisk.entry import Entries, Entry, folder_entry
from bessemer_ramdisk.error import BuildError

_TRAILER = "TRAILER!!!"
#: Level 3 packs nearly as well as 19 and unpacks faster under emulation. The result does not depend on the
#: number of threads, as long as it is not single-threaded mode.
_ZSTD = ["zstd", "-3", "-T2", "--quiet", "--no-progress", "--force"]
_TIMEOUT_S = 600


def write_archive(entries: Entries, target: Path, epoch: int) -> None:
    """Write a compressed archive; all times are ``epoch``, seconds since 1970.

    Raises:
        BuildError: zstd failed.
    """
    try:
        child = subprocess.Popen([*_ZSTD, "-o", str(target)], stdin=subprocess.PIPE)
    except FileNotFoundError as error:
        raise BuildError("zstd is not installed (apt-get install zstd)") from error
    assert child.stdin is not None  # noqa: S101 - PIPE was asked for
    with child.stdin as stream:
        for number, (path, entry) in enumerate(with_parents(entries), start=1):
            _write_entry(stream, path, entry, number, epoch)
        _write_entry(stream, _TRAILER, Entry(0), 0, 0)
    if child.wait(_TIMEOUT_S) != 0:
        raise BuildError(f"zstd ended with status {child.returncode} while packing {target.name}")


def with_parents(entries: Entries) -> Iterator[tuple[str, Entry]]:
    """All entries in order of their paths, every folder before what is in it."""
    whole = dict(entries)
    for path in entries:
        for parent in Path(path).parents:
            if str(parent) != ".":
                whole.setdefault(str(parent), folder_entry())
    return iter(sorted(whole.items()))


def _write_entry(stream: IO[bytes], path: str, entry: Entry, number: int, epoch: int) -> None:
    data = entry.read()
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = [number, entry.mode, 0, 0, links, epoch, len(data), 0, 0, *entry.device, len(name), 0]
    header = b"070701" + b"".join(f"{field:08X}".encode() for field in fields)
    stream.write(_pad(header + name))
    stream.write(_pad(data))


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
