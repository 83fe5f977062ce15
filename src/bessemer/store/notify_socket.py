"""Notifications between the processes that share an SQLite file: datagrams in a directory beside it.

A process that listens has a socket there; one that notifies writes to all of them. Alone, a process pays for
one ``stat`` a notification. A socket whose process has died refuses, and whoever finds out removes it.
"""

import asyncio
import os
import socket
from functools import partial
from pathlib import Path

import structlog

from bessemer.kernel.ident import new_uuid
from bessemer.store.notify import Notifier, Writing

_log = structlog.get_logger()

#: Longer than any notification.
_MOST_BYTES = 1024


class SocketNotifier(Notifier):
    """``directory`` is made when the first listener comes. Without it (a read-only place, say) notifications
    reach this process only, and others find their work by looking."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._sending: socket.socket | None = None
        self._receiving: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._own_name = f"{new_uuid()}.socket"
        self._peers: list[str] = []
        self._listed_at: int | None = None
        #: A directory's descriptor makes short addresses: the limit is some hundred bytes.
        self._descriptor: int | None = None

    async def notify(self, tx: Writing, channel: str, payload: str) -> None:
        tx.after_commit(partial(self._tell, channel, payload))

    async def _started(self) -> None:
        if self._receiving is not None:
            return
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            self._open()
        except OSError as error:
            _log.warning("other processes cannot be heard of at once", error=str(error))

    def _open(self) -> None:
        receiving = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            receiving.bind(self._address(self._own_name))
        except OSError:
            receiving.close()
            raise
        self._receiving, self._loop = receiving, asyncio.get_running_loop()
        self._loop.add_reader(receiving.fileno(), self._received)

    async def close(self) -> None:
        if self._receiving is not None and self._loop is not None:
            self._loop.remove_reader(self._receiving.fileno())
            self._forget(self._own_name)
            self._receiving.close()
            self._receiving = None
        if self._sending is not None:
            self._sending.close()
            self._sending = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self, channel: str, payload: str) -> None:
        self._deliver(channel, payload)
        message = f"{channel} {payload}".encode()
        for name in self._others():
            self._send(name, message)

    def _others(self) -> list[str]:
        """Sockets of other processes; listed again when the directory has changed."""
        try:
            changed_at = os.stat(self._directory).st_mtime_ns  # noqa: PTH116  on every commit: no detours
            if changed_at != self._listed_at:
                self._peers = [name for name in os.listdir(self._directory) if name != self._own_name]  # noqa: PTH208
                self._listed_at = changed_at
        except OSError:
            return []
        return self._peers

    def _send(self, name: str, message: bytes) -> None:
        if self._sending is None:
            self._sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._sending.sendto(message, self._address(name))
        except (ConnectionRefusedError, FileNotFoundError):
            self._forget(name)
        except OSError:
            # Its buffer is full of others': it is awake already.
            return

    def _received(self) -> None:
        if self._receiving is None:
            return
        try:
            message = self._receiving.recv(_MOST_BYTES).decode(errors="replace")
        except OSError:
            return
        channel, _, payload = message.partition(" ")
        self._deliver(channel, payload)

    def _forget(self, name: str) -> None:
        try:
            (self._directory / name).unlink(missing_ok=True)
        except OSError as error:
            _log.debug("a socket that nobody uses could not be removed", error=str(error))

    def _address(self, name: str) -> str:
        if self._descriptor is None:
            self._descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}/{name}"
