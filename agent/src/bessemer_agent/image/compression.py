"""Decompressing a stream of chunks: gzip by zlib, zstd by the ``zstd`` program as a child between two
pipes.
"""

import subprocess
import threading
import zlib
from collections.abc import Generator, Iterable
from typing import IO

from bessemer_agent.error import ImageError
from bessemer_agent.image.pipeline import CHUNK_BYTES

#: Input given to zlib at a time: what it has not used up is copied at every call.
_GZIP_SLICE = 64 * 1024
#: Pipe buffers, so that the child and we switch less often; the kernel's limit for everybody is 1 MiB.
_PIPE_BYTES = 1024**2
_F_SETPIPE_SZ = 1031  # fcntl.h
_CHILD_TIMEOUT_S = 30.0


def decompress(chunks: Iterable[bytes], compression: str | None) -> Generator[bytes, None, None]:
    """The decompressed bytes; with None the chunks themselves.

    Raises:
        ImageError: The stream is damaged or ends early.
    """
    if compression == "gzip":
        return _gunzip(chunks)
    if compression == "zstd":
        return _unzstd(chunks)
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


def _unzstd(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    try:
        child = subprocess.Popen(
            ["zstd", "--decompress", "--stdout", "--quiet", "--no-progress"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
    except FileNotFoundError as error:
        raise ImageError("it is compressed with zstd, but this ramdisk has no zstd program") from error
    failures: list[BaseException] = []
    feeder = threading.Thread(target=_feed, args=(child, chunks, failures), name="zstd-feed", daemon=True)
    try:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101,PT018 - PIPE was asked for
        _widen(child.stdout.fileno())
        feeder.start()
        while plain := _read_full(child.stdout):
            yield plain
        status = child.wait(_CHILD_TIMEOUT_S)
        feeder.join(_CHILD_TIMEOUT_S)
        if failures:
            raise failures[0]
        if status != 0:
            told = child.stderr.read(500).decode("utf-8", "replace").strip()
            raise ImageError(f"its zstd stream is damaged or ends early: {told}")
    finally:
        child.kill()
        child.wait(_CHILD_TIMEOUT_S)
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()


def _feed(child: "subprocess.Popen[bytes]", chunks: Iterable[bytes], failures: list[BaseException]) -> None:
    assert child.stdin is not None  # noqa: S101 - PIPE was asked for
    _widen(child.stdin.fileno())
    try:
        with child.stdin as pipe:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[pipe.write(view) or 0 :]
    except BrokenPipeError:
        pass  # the child found the stream damaged and says why
    except BaseException as error:  # noqa: BLE001 - it is raised again in the reader's thread
        failures.append(error)


def _read_full(pipe: IO[bytes]) -> bytes:
    parts, missing = [], CHUNK_BYTES
    while missing and (part := pipe.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _widen(fd: int) -> None:
    import fcntl

    try:
        fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        return  # slower, not wrong
