"""Decompressing a stream of chunks: gzip by zlib, zstd by the ``zstd`` program as a child between two
pipes.
"""

import zlib
from collections.abc import Generator, Iterable

from bessemer_agent.error import ImageError
from bessemer_agent.image.pipeline import CHUNK_BYTES

#: Input given to zlib at a time: what it has not used up is copied at every call.
_GZIP_SLICE = 64 * 1024


def decompress(chunks: Iterable[bytes], compression: str | None) -> Generator[bytes, None, None]:
    """The decompressed bytes; with None the chunks themselves.

    Raises:
        ImageError: The stream is damaged or ends early.
    """
    if compression == "gzip":
        return _gunzip(chunks)
    if compression == "zstd":
        from bessemer_agent.image.zstd_library import decompress_stream

        return decompress_stream(chunks)
    return (chunk for chunk in chunks)


def _gunzip(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    unpacker = zlib.decompressobj(wbits=31)
    has_begun = False
    for chunk in chunks:
        view = memoryview(chunk)
        for position in range(0, len(view), _GZIP_SLICE):
            pending = bytes(view[position : position + _GZIP_SLICE])
            while pending:
                if unpacker.eof:
                    if not pending.strip(b"\0"):
                        break  # padding after the last member
                    unpacker = zlib.decompressobj(wbits=31)
                try:
                    plain = unpacker.decompress(pending, CHUNK_BYTES)
                except zlib.error as error:
                    raise ImageError(f"its gzip stream is damaged: {error}") from error
                has_begun = True
                pending = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if plain:
                    yield plain
    # What zlib holds back for want of room comes out without further input.
    while not unpacker.eof and (plain := unpacker.decompress(b"", CHUNK_BYTES)):
        yield plain
    if has_begun and not unpacker.eof:
        raise ImageError("its gzip stream ends early")
