"""The serial console of a machine: its log, its socket, and a TCP door to it."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bessemer_lab.error import ConsoleTimeout

_POLL_S = 0.05
#: A shell may break the echo of a longer line.
_ECHO_LENGTH = 20


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line a machine wrote, without its end; and the offset in the log of what comes after it."""

    text: str
    end: int


class Console:
    """What the machine has written so far, across every boot, and where to talk to it.

    The socket exists while the machine has power and serves one client at a time.
    """

    def __init__(self, log_path: Path, socket_path: Path) -> None:
        self.log_path = log_path
        self.socket_path = socket_path

    @property
    def offset(self) -> int:
        """The length of the log in bytes: pass it on as ``since`` to wait for what comes after now."""
        try:
            return self.log_path.stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, *, since: int = 0) -> str:
        """The log from an offset on; undecodable bytes are replaced."""
        return self._read_bytes(since).decode(errors="replace")

    async def wait_for(self, text: str, *, timeout_s: float, since: int = 0) -> ConsoleLine:
        """Wait until ``text`` has been written after the offset ``since``; return its line.

        A line that is not finished when the guest pauses, such as a prompt, is returned as it is.

        Raises:
            ConsoleTimeout: It was not in time; the message has the last lines that were written.
        """
        wanted = text.encode()
        kept, position = b"", since  # the line under way, and where it ends
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    fresh = self._read_bytes(position)
                    position += len(fresh)
                    kept += fresh
                    if (found := kept.find(wanted)) >= 0 and (not fresh or b"\n" in kept[found:]):
                        return _cut_line(kept, found, start=position - len(kept))
                    if found < 0:
                        kept = kept[kept.rfind(b"\n", 0, max(0, len(kept) - len(wanted))) + 1 :]
                    # a file can only be asked; the log is written by QEMU, whose events do not cover it
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            tail = "\n".join(self.read(since=max(since, position - 2000)).splitlines()[-12:])
            raise ConsoleTimeout(
                f"no {text!r} on the console within {timeout_s:g} s; its end:\n{tail}"
            ) from None

    async def send(self, text: str, *, timeout_s: float = 10.0) -> None:
        """Type a text into the console and wait until the guest echoes its beginning.

        Wait for a prompt first: a shell that is just starting throws away what was typed before.

        Raises:
            ConsoleTimeout: There was no echo in time, or another client holds the console.
            OSError: The machine is off.
        """
        reader, writer = await asyncio.open_unix_connection(str(self.socket_path))
        try:
            async with asyncio.timeout(timeout_s):
                writer.write(text.encode())
                # QEMU may drop what it has not taken yet when a client leaves: stay for the echo
                await reader.readuntil(text.strip()[:_ECHO_LENGTH].encode())
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise ConsoleTimeout(f"no echo of {text!r} on the console within {timeout_s:g} s") from None
        finally:
            await _close(writer)

    def _read_bytes(self, since: int) -> bytes:
        try:
            with self.log_path.open("rb") as file:
                file.seek(since)
                return file.read()
        except FileNotFoundError:
            return b""


class ConsoleRelay:
    """Offers a console's socket on a TCP port of the loopback interface."""

    def __init__(self, console: Console, port: int) -> None:
        self._console = console
        self._port = port
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def close(self) -> None:
        """Stop listening and end every connection. Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._clients):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a stream callback always runs in a task
        self._clients.add(task)
        try:
            await self._relay(reader, writer)
        finally:
            self._clients.discard(task)
            await _close(writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(str(self._console.socket_path))
        except OSError:
            writer.write(b"The machine is off.\r\n")
            return
        try:
            await join_streams((reader, far_writer.write), (far_reader, writer.write))
        finally:
            await _close(far_writer)


def _cut_line(data: bytes, found: int, *, start: int) -> ConsoleLine:
    """The line of ``data`` around the index ``found``; ``start`` is the offset of the data in the log."""
    begin = data.rfind(b"\n", 0, found) + 1
    end = data.find(b"\n", found)
    end = end + 1 if end >= 0 else len(data)
    return ConsoleLine(data[begin:end].decode(errors="replace").rstrip("\r\n"), start + end)


async def join_streams(*pairs: tuple[asyncio.StreamReader, Callable[[bytes], object]]) -> None:
    """Copy from each reader to its writing function until the first of the readers ends."""
    tasks = [asyncio.create_task(_copy(reader, write)) for reader, write in pairs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, write: Callable[[bytes], object]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(4096):
            write(data)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
