"""Notifications: telling other tasks and processes that a transaction has made something true.

On PostgreSQL they travel by NOTIFY; SQLite has no such thing, so there they travel by sockets beside the
database file (``notify_socket``). They are hints: listeners also look for themselves from time to time.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import Context
from typing import Any, Protocol

import structlog
from sqlalchemy import bindparam, func, select
from sqlalchemy.pool import NullPool

from bessemer.kernel.backoff import Backoff
from bessemer.store.connect import CONNECT_S, Engines
from bessemer.store.engine import Connection, Engine
from bessemer.store.statement import Statement

Callback = Callable[[str], None]

#: The one PostgreSQL channel; the payload begins with the name of ours.
_CHANNEL = "bessemer"
_NOTIFY = Statement(select(func.pg_notify(_CHANNEL, bindparam("payload"))))

#: How often a silent listening connection is asked whether it still lives, and how long it may take.
_CHECK_S, _ANSWER_S = 20.0, 10.0

_log = structlog.get_logger()


class Writing(Protocol):
    """What a notification needs of the transaction that it belongs to."""

    async def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> object: ...

    def after_commit(self, callback: Callable[[], None]) -> None: ...


class Notifier(ABC):
    """Keeps the listeners; how a notification reaches them is the subclass's duty."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callback]] = {}

    @abstractmethod
    async def notify(self, tx: Writing, channel: str, payload: str) -> None: ...

    def listen(self, channel: str, callback: Callback) -> AbstractAsyncContextManager[None]:
        return self._listen(channel, callback)

    @asynccontextmanager
    async def _listen(self, channel: str, callback: Callback) -> AsyncIterator[None]:
        listeners = self._listeners.setdefault(channel, [])
        listeners.append(callback)
        try:
            await self._started()
            yield
        finally:
            listeners.remove(callback)

    async def _started(self) -> None:  # noqa: B027  nothing to do for most
        """Called when somebody begins to listen."""

    async def close(self) -> None:  # noqa: B027  nothing to do for most
        """Stop listening for good."""

    def _deliver(self, channel: str, payload: str) -> None:
        for callback in tuple(self._listeners.get(channel, ())):
            callback(payload)


class PostgresqlNotifier(Notifier):
    """By LISTEN and NOTIFY, on one connection of its own that is made again whenever it breaks."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()

    async def notify(self, tx: Writing, channel: str, payload: str) -> None:
        await tx.execute(_NOTIFY, {"payload": f"{channel} {payload}"})

    async def _started(self) -> None:
        if self._task is None:
            # It outlives who listens first, and is none of that one's work.
            self._task = asyncio.create_task(
                self._run(), name="listen for database notifications", context=Context()
            )
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                await self._is_listening.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None
        await self._engine.dispose()

    async def _run(self) -> None:
        backoff, failures = Backoff(most_s=10.0), 0
        while True:
            try:
                async with self._engine.connect() as connection:
                    await self._listen_on(connection)
            except Exception as error:  # noqa: BLE001  whatever it was, the listener has to come back
                failures = 1 if self._is_listening.is_set() else failures + 1
                if failures == 1:
                    _log.warning("listening for database notifications failed", error=str(error))
            self._is_listening.clear()
            await asyncio.sleep(backoff.delay_s(max(failures, 1)))

    async def _listen_on(self, connection: Connection) -> None:
        """Listen until the connection breaks."""
        raw = connection.below
        try:
            await self._listen_while_alive(raw)
        finally:
            # Closed in order, it would wait for an answer, without a deadline: of a host that is gone, too.
            raw.terminate()

    async def _listen_while_alive(self, raw: Any) -> None:
        broken = asyncio.Event()
        raw.add_termination_listener(lambda _: broken.set())
        async with asyncio.timeout(_ANSWER_S):
            await raw.add_listener(_CHANNEL, self._received)
        self._is_listening.set()
        # Whatever was told before we listened is to be looked for.
        for channel in tuple(self._listeners):
            self._deliver(channel, "")
        while not broken.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_S):
                    await broken.wait()
            if not broken.is_set():
                await raw.execute("SELECT 1", timeout=_ANSWER_S)

    def _received(self, _connection: object, _pid: int, _channel: str, message: str) -> None:
        channel, _, payload = message.partition(" ")
        self._deliver(channel, payload)


def postgresql_notifier(engines: Engines) -> PostgresqlNotifier:
    return PostgresqlNotifier(
        Engine(
            engines.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": CONNECT_S},
        )
    )
