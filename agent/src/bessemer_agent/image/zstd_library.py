"""Single zstd frames, by the shared library: a qcow2 file has thousands of small ones, too many for a child
each.

Source: zstd.h, "Simple API".
"""

import ctypes
from functools import lru_cache

from bessemer_agent.error import ImageError


@lru_cache(maxsize=1)
def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libzstd.so.1")
    except OSError as error:
        raise ImageError("its clusters are compressed with zstd, but this ramdisk has no libzstd") from error
    for name in ("ZSTD_findFrameCompressedSize", "ZSTD_decompress"):
        getattr(library, name).restype = ctypes.c_size_t
    return library


def decompress_frame(data: bytes, limit_bytes: int) -> bytes:
    """The content of the frame ``data`` begins with; what follows the frame is ignored.

    Raises:
        ImageError: It is damaged, larger than ``limit_bytes``, or there is no libzstd.
    """
    library = _load()
    size = library.ZSTD_findFrameCompressedSize(data, ctypes.c_size_t(len(data)))
    if library.ZSTD_isError(ctypes.c_size_t(size)):
        raise ImageError("one of its compressed clusters is damaged: no zstd frame")
    plain = ctypes.create_string_buffer(limit_bytes)
    written = library.ZSTD_decompress(plain, ctypes.c_size_t(limit_bytes), data, ctypes.c_size_t(size))
    if library.ZSTD_isError(ctypes.c_size_t(written)):
        raise ImageError("one of its compressed clusters is damaged")
    return plain.raw[:written]
