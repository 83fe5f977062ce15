"""SQLite without needless changes of threads: they, not SQLite, are what a small query costs.

A statement known to be short is run at once, on the loop. What takes longer or has to wait (for another
process's lock, for the disk at a commit, for a thousand rows) is done in the connection's own thread, all in
one go. SQLAlchemy takes the connection as it would take aiosqlite's own. See ADR 0017.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias

import aiosqlite

#: What is left of connections that are given up, until it is over.
Endings: TypeAlias = "set[asyncio.Future[Any]]"


class Outcome:
    """What one statement left behind."""

    __slots__ = ("description", "lastrowid", "rowcount", "rows")

    def __init__(self, cursor: sqlite3.Cursor | None = None) -> None:
        self.description = cursor.description if cursor else None
        self.rowcount = cursor.rowcount if cursor else -1
        self.lastrowid = cursor.lastrowid if cursor else None
        self.rows: list[Any] = cursor.fetchall() if cursor and cursor.description else []


_NOTHING = Outcome()


class WholeCursor:
    """A cursor that has read everything by the time ``execute`` returns. Source: PEP 249, asynchronous."""

    __slots__ = ("_connection", "_outcome", "arraysize")

    def __init__(self, connection: "WholeConnection") -> None:
        self._connection = connection
        self._outcome = _NOTHING
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._outcome.lastrowid

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        self._outcome = await self._connection.run(sql, parameters, is_many=False)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        self._outcome = await self._connection.run(sql, parameters, is_many=True)
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._outcome.rows = self._outcome.rows, []
        return rows

    async def close(self) -> None:
        """Nothing is left open."""


#: How long statements may keep the loop, in seconds, before others on it get a turn.
_SPELL_S = 0.005


class WholeConnection(aiosqlite.Connection):
    """Opened when it is awaited. Waits for locks up to ``patience_s`` seconds, and never on the loop.

    ``endings`` takes what is to be waited for before the event loop may close: the end of the thread, which
    answers to the loop and finishes its last statement first, also where nobody wants it any more.
    """

    def __init__(self, path: Path, endings: Endings, *, patience_s: float) -> None:
        open_it = partial(
            sqlite3.connect,
            path,
            timeout=0,
            isolation_level=None,
            cached_statements=256,
            # The loop and the thread take turns: see ``_is_idle``.
            check_same_thread=False,
        )
        super().__init__(open_it, iter_chunk_size=64)
        self._endings = endings
        # A process that is about to end does not wait for idle database threads.
        self._thread.daemon = True
        self._patience_ms = round(patience_s * 1000)
        #: What the thread was given, and what it has done. Each is counted by one side alone.
        self._given = self._done = 0
        self._spell_s = 0.0

    def stop(self) -> "asyncio.Future[Any] | None":
        ending: asyncio.Future[Any] | None = super().stop()
        if ending is not None:
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        return ending

    def cursor(self) -> WholeCursor:  # type: ignore[override]
        return WholeCursor(self)

    async def run(
        self,
        sql: str,
        parameters: Sequence[Any],
        *,
        is_many: bool = False,
        first: str = "",
        is_short: bool = False,
    ) -> Outcome:
        """Run one statement, and another without parameters before it; either may be left out (empty).

        ``is_short``: they take microseconds and do not wait for the disk.
        """
        if is_short and self._is_idle:
            began = time.perf_counter()
            try:
                if first:
                    self._conn.execute(first).close()
                    first = ""
                return _run(self._conn, sql, parameters, is_many)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
            finally:
                self._spell_s += time.perf_counter() - began
                if self._spell_s > _SPELL_S:
                    self._spell_s = 0.0
                    await asyncio.sleep(0)
        self._spell_s = 0.0
        work = self._execute(self._run_patiently, sql, parameters, is_many, first)
        outcome: Outcome = await work
        return outcome

    async def roll_back(self, savepoint: str = "") -> None:
        """Go back to ``savepoint``; without one, or where it is gone, end the transaction, if there is one:
        SQLite itself ends it over some errors."""
        if self._is_idle:
            _roll_back(self._conn, savepoint)
        else:
            await self._execute(_roll_back, self._conn, savepoint)

    @property
    def is_in_transaction(self) -> bool:
        return self._conn.in_transaction

    @property
    def _is_idle(self) -> bool:
        """Whether the thread has nothing to do. Work goes on there after who asked for it was cancelled."""
        return self._given == self._done

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        def work() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._done += 1

        self._given += 1
        return await super()._execute(work)  # type: ignore[no-untyped-call]

    def _run_patiently(self, sql: str, parameters: Sequence[Any], is_many: bool, first: str) -> Outcome:
        """In the thread. Only what finds another connection in its way is told to wait for it."""
        connection = self._conn
        if first:
            self._in_patience(partial(_run, connection, first, (), False))
        return self._in_patience(partial(_run, connection, sql, parameters, is_many))

    def _in_patience(self, work: Callable[[], Outcome]) -> Outcome:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
        self._conn.execute(f"PRAGMA busy_timeout = {self._patience_ms}").close()
        try:
            return work()
        finally:
            self._conn.execute("PRAGMA busy_timeout = 0").close()


def _run(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any], is_many: bool) -> Outcome:
    if not sql:
        return _NOTHING
    cursor = connection.executemany(sql, parameters) if is_many else connection.execute(sql, parameters)
    try:
        return Outcome(cursor)
    finally:
        cursor.close()


def _is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection is in the way. Source: SQLite, result codes; the low byte is the primary."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _roll_back(connection: sqlite3.Connection, savepoint: str) -> None:
    if savepoint:
        try:
            connection.execute(f"ROLLBACK TO {savepoint}").close()
        except sqlite3.Error:
            pass
        else:
            return
    if connection.in_transaction:
        connection.execute("ROLLBACK").close()
