"""Files that cost time to make, kept in one directory until others need the room.

Safe between processes: a file appears under its final name only when it is complete, and whoever has it open
keeps it when it is deleted. Within one process nobody makes the same file twice at a time.
"""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bessemer.transfer.file import KnownFile

Make = Callable[[Path], Awaitable[None]]
_PARTIAL = "partial-"
#: A partial file this old was left behind by a process that was killed.
_ABANDONED_NS = 24 * 3600 * 10**9


class FileCache:
    """``limit_bytes`` is the room for all files; the least recently used ones go first."""

    def __init__(self, directory: Path, *, limit_bytes: int) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        self._making: dict[str, asyncio.Task[KnownFile]] = {}

    async def ensure(self, key: str, make: Make) -> KnownFile:
        """Give the file for ``key``, made by ``make(path)`` if it is not there. Idempotent.

        ``key`` says everything the contents depend on. A caller that is cancelled leaves the making to the
        others that wait for it. Errors of ``make`` reach every waiting caller, and nothing is kept.
        """
        path = self._directory / hashlib.sha256(key.encode()).hexdigest()
        known = await asyncio.to_thread(_touch, path)
        if known is not None:
            return known
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(path, make), name=f"make {path.name[:12]}")
            self._making[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def trim(self) -> None:
        """Bring the cache within its limit, and take away what killed processes left half made."""
        if await asyncio.to_thread(self._directory.is_dir):
            await asyncio.to_thread(_make_room, self._directory, self._limit_bytes, self._directory)

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[KnownFile]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # every waiter may be gone: then nobody else would look at it

    async def _make(self, path: Path, make: Make) -> KnownFile:
        partial = await asyncio.to_thread(_new_partial, self._directory)
        try:
            await make(partial)
            await asyncio.to_thread(partial.replace, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        await asyncio.to_thread(_make_room, self._directory, self._limit_bytes, path)
        known = await asyncio.to_thread(_touch, path)
        if known is None:
            raise FileNotFoundError(path)
        return known


def _touch(path: Path) -> KnownFile | None:
    """Find a file and note that it was used: in the access time, since the other one is its identity."""
    try:
        facts = path.stat()
        os.utime(path, ns=(time.time_ns(), facts.st_mtime_ns))
    except FileNotFoundError:
        return None
    return KnownFile(path, facts.st_size, facts.st_mtime_ns)


def _new_partial(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=_PARTIAL, dir=directory)
    os.close(handle)
    return Path(name)


def _make_room(directory: Path, limit_bytes: int, keep: Path) -> None:
    entries = []
    for entry in directory.iterdir():
        try:
            facts = entry.stat()
        except FileNotFoundError:
            continue
        if not entry.name.startswith(_PARTIAL):
            entries.append((facts.st_atime_ns, facts.st_size, entry))
        elif facts.st_mtime_ns < time.time_ns() - _ABANDONED_NS:
            entry.unlink(missing_ok=True)
    room = limit_bytes - sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries, key=lambda found: found[0]):
        if room >= 0:
            return
        if entry != keep:
            entry.unlink(missing_ok=True)
            room += size
