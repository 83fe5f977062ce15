"""A small asyncio client of the QEMU Machine Protocol.

Source: QEMU's "QMP protocol specification" (docs/interop/qmp-spec).
"""

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import Callable
from typing import Any

from bessemer_lab.error import PowerLost, VmError

EventHandler = Callable[[str, dict[str, Any]], None]

#: A command QEMU has not answered by then is given up: its main loop hangs.
COMMAND_TIMEOUT_S = 30.0


class QmpError(VmError):
    """QEMU answered a command with an error."""


class QmpClosed(PowerLost):
    """The connection ended, as a rule because QEMU did."""


class QmpClient:
    """One connection. Commands may be issued concurrently; events go to ``on_event`` in order of arrival."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: EventHandler
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls, connection: socket.socket, on_event: EventHandler, *, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> "QmpClient":
        """Greet the QEMU at the other end of a connected stream socket, which the client then owns.

        Raises:
            QmpClosed: The connection ended before the greeting.
            VmError: There was no greeting in time, or what came was not one.
        """
        reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 22)
        client = cls(reader, writer, on_event)
        try:
            async with asyncio.timeout(timeout_s):
                greeting = await client._read()
                _require_greeting(greeting)
                client._task = asyncio.create_task(client._receive(), name="qmp receiver")
                await client.execute("qmp_capabilities")
        except TimeoutError:
            await client.close()
            raise VmError(f"QEMU did not greet within {timeout_s:g} s") from None
        except BaseException:
            await client.close()
            raise
        return client

    async def execute(self, command: str, *, timeout_s: float = COMMAND_TIMEOUT_S, **arguments: Any) -> Any:
        """Run a command and return its result. An underscore in an argument's name stands for a hyphen.

        Raises:
            QmpError: QEMU refused.
            QmpClosed: The connection ended before the answer.
            VmError: No answer in time.
        """
        if self._is_closed:
            raise QmpClosed(f"{command}: the monitor is closed")
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        request: dict[str, Any] = {"execute": command, "id": number}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(timeout_s):
                await self._writer.drain()
                return await answer
        except TimeoutError:
            raise VmError(f"QEMU did not answer {command} within {timeout_s:g} s") from None
        except ConnectionError as error:
            raise QmpClosed(f"{command}: {error}") from error
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        """End the connection. Idempotent; commands under way raise QmpClosed."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._fail_waiting()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _receive(self) -> None:
        try:
            while True:
                self._dispatch(await self._read())
        except (VmError, ConnectionError):
            self._fail_waiting()

    async def _read(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line:
            raise QmpClosed("the monitor is closed")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise VmError(f"QEMU sent something that is not JSON: {line[:80]!r}") from error
        if not isinstance(message, dict):
            raise VmError(f"QEMU sent something that is not a message: {line[:80]!r}")
        return message

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._on_event(message["event"], message.get("data", {}))
            return
        answer = self._waiting.get(message.get("id", 0))
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(QmpError(str(message["error"].get("desc", message["error"]))))
        else:
            answer.set_result(message.get("return"))

    def _fail_waiting(self) -> None:
        self._is_closed = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(QmpClosed("QEMU closed the monitor"))


def _require_greeting(message: dict[str, Any]) -> None:
    if "QMP" not in message:
        raise VmError("what answers is not a QEMU monitor")
