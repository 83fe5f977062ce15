"""Who has an SQLite file open: whoever has holds a lock on it.

A connection in WAL mode keeps a shared lock on the file for as long as it lives, whatever it does. The kernel
tells who would stand in the way of an exclusive one; nothing is locked or read for that, so it works with a
damaged file too. Source: SQLite, "File Locking And Concurrency" and os_unix.c; fcntl(2), F_GETLK.
"""

import fcntl
import struct
import sys
from pathlib import Path
from typing import Final

#: The byte of SQLite's locks, and how many there are: pending, reserved, and 510 shared ones.
_FIRST_BYTE, _BYTES = 0x40000000, 512
#: Linux's struct flock: type, whence, start, length, process; padded as C does.
_FLOCK: Final = "hhqqi4x"


def find_user(path: Path) -> int | None:
    """The number of a process that has the file open (0: one that cannot be seen from here); None: nobody.

    Not from a process that has it open itself: looking would let go of its locks. Only on Linux.
    """
    if sys.platform != "linux" or not path.exists():
        return None
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, _FIRST_BYTE, _BYTES, 0)
    with path.open("r+b") as file:
        kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(0, process)
