"""Threads between the stages of the image pipeline."""

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

#: The size chunks are cut to: large enough that a thread switch costs nothing beside it.
CHUNK_BYTES = 1024**2
#: Chunks that may wait between two stages.
DEPTH = 4


class Digest(Protocol):
    """What hashlib's objects can do."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Channel:
    """A bounded queue of chunks between one writing and one reading thread, which either can leave.

    (``queue.Queue`` has no way to say "nobody reads any more": a writer would wait for ever.)
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._chunks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_finished = self._is_closed = False
        self._error: BaseException | None = None

    def put(self, chunk: bytes) -> bool:
        """Hand over a chunk, waiting for room; False when the reader has left."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._chunks) < self._depth or self._is_closed)
            if not self._is_closed:
                self._chunks.append(chunk)
                self._changed.notify_all()
            return not self._is_closed

    def finish(self, error: BaseException | None = None) -> None:
        """Say that no chunk follows; with an error, that it is raised to the reader instead of an end."""
        with self._changed:
            self._is_finished, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Leave as the reader: chunks are dropped, and whoever still reads finds the end. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._chunks.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._is_finished or self._is_closed)
                if self._chunks:
                    chunk = self._chunks.popleft()
                    self._changed.notify_all()
                elif self._error and not self._is_closed:
                    raise self._error
                else:
                    return
            yield chunk


class Ahead:
    """Runs an iterable ahead of its reader, in a thread, at most :data:`DEPTH` chunks.

    An exception in the iterable is raised to the reader at its place in the order. Closing ends the thread
    at its next chunk and closes the iterable if it is a generator; it does not wait for that, because the
    thread may be in a network read, which has its own deadline.
    """

    def __init__(self, source: Iterable[bytes], name: str, depth: int = DEPTH) -> None:
        self._source = source
        self._channel = Channel(depth)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._channel)

    def close(self) -> None:
        """Stop reading ahead. Idempotent."""
        self._channel.close()

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for chunk in self._source:
                if not self._channel.put(chunk):
                    break
        except BaseException as caught:  # noqa: BLE001 - it is raised again in the reader's thread
            error = caught
        if isinstance(self._source, Generator):
            self._source.close()
        self._channel.finish(error)


class Digester:
    """Hashes chunks in a thread of its own while they are used elsewhere."""

    def __init__(self, digest: Digest, depth: int = DEPTH) -> None:
        self._digest = digest
        self._channel = Channel(depth)
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
        self._thread.start()

    def watch(self, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Pass chunks on, hashing them on the way."""
        for chunk in chunks:
            if not self._channel.put(chunk):
                return
            yield chunk

    def finish(self) -> str:
        """The digest of everything watched, in hexadecimal; ends the thread."""
        self._channel.finish()
        self._thread.join()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread, dropping what it has not hashed. Idempotent."""
        self._channel.close()

    def _run(self) -> None:
        for chunk in self._channel:
            self._digest.update(chunk)


def rechunk(chunks: Iterable[bytes], size: int = CHUNK_BYTES) -> Generator[bytes, None, None]:
    """The same bytes in chunks of exactly ``size``, the last one shorter; fitting chunks are passed
    untouched.
    """
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        if not held and len(chunk) == size:
            yield chunk
            continue
        rest = memoryview(chunk)
        while held + len(rest) >= size:
            parts.append(bytes(rest[: size - held]))
            rest = rest[size - held :]
            yield b"".join(parts)
            parts, held = [], 0
        if rest:
            parts.append(bytes(rest))
            held += len(rest)
    if parts:
        yield b"".join(parts)
