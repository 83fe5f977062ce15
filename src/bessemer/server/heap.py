"""The C library's heap: what is freed goes back to the operating system.

By default glibc keeps large blocks ever more often in one heap with the small ones, where a single small one
between two holes holds both. After a thousand deployments, whose images and connections come and go, half of
that heap was holes. Source: mallopt(3), M_MMAP_THRESHOLD, "dynamic mmap threshold".
"""

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
#: glibc's own, before it begins to raise it.
_APART_BYTES = 128 * 1024


def keep_large_blocks_apart() -> None:
    """Let blocks of 128 KiB and more be memory of their own for good. Does nothing without glibc."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _APART_BYTES)
