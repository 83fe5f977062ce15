"""A blob: bytes of known size that can be read from any place, without ever being held whole."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bessemer.kernel.error import SourceError
from bessemer.transfer.file import KnownFile

#: Bytes read at a time: large enough that the hop to a thread is lost in the copy.
CHUNK_BYTES = 512 * 1024


class Blob(Protocol):
    @property
    def size(self) -> int | None:
        """Length in bytes; None when the source does not tell."""
        ...

    @property
    def etag(self) -> str:
        """A quoted strong validator: equal means the same bytes. '' when there is none."""
        ...

    @property
    def is_ranged(self) -> bool:
        """Whether ``read`` can begin elsewhere than at 0."""
        ...

    def read(self, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """Give ``length`` bytes (None: all that follow) from ``offset`` on, in pieces.

        Close the generator (``contextlib.aclosing``) to let go of the source early.

        Raises:
            SourceError: The source failed, changed or ended early.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes that stand in for those of the file from ``offset`` on. They may be secret: not shown."""

    offset: int
    data: bytes = field(repr=False)

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class FileBlob:
    """A file, some of whose bytes are replaced while it is read; the file itself is never written."""

    file: KnownFile
    patches: Sequence[Patch] = ()
    #: What stands for the file's contents in the ETag; its path, size and time when empty.
    identity: str = ""
    is_ranged: bool = True

    @property
    def size(self) -> int:
        return self.file.size

    @property
    def etag(self) -> str:
        digest = hashlib.sha256((self.identity or self.file.identity).encode())
        for patch in self.patches:
            digest.update(f"\0{patch.offset}\0".encode() + patch.data)
        return f'"{digest.hexdigest()[:40]}"'

    async def read(self, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """As ``Blob.read``. The file is opened once; a deletion meanwhile does no harm."""
        left = self.size - offset if length is None else min(length, self.size - offset)
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.open(self.file.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"File {self.file.path} cannot be opened: {error.strerror}.") from error
        try:
            while left > 0:
                piece = await loop.run_in_executor(None, os.pread, descriptor, min(CHUNK_BYTES, left), offset)
                if not piece:
                    raise SourceError(f"File {self.file.path} became shorter while it was read.")
                yield self._patched(piece, offset)
                offset += len(piece)
                left -= len(piece)
        finally:
            os.close(descriptor)

    def _patched(self, piece: bytes, offset: int) -> bytes:
        """``piece``, which begins at ``offset`` of the file, with every patch that reaches into it."""
        end = offset + len(piece)
        touching = [patch for patch in self.patches if patch.offset < end and offset < patch.end]
        if not touching:
            return piece
        changed = bytearray(piece)
        for patch in touching:
            first, last = max(offset, patch.offset), min(end, patch.end)
            changed[first - offset : last - offset] = patch.data[first - patch.offset : last - patch.offset]
        return bytes(changed)
