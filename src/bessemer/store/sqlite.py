"""SQLite in its own threads, with one change of threads per statement.

aiosqlite changes threads for making a cursor, executing, fetching and closing it: four times a statement,
and these changes, not SQLite, are what a small query costs. Here a statement is executed, fetched and closed
in one go. SQLAlchemy takes the connection as it would take aiosqlite's own.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite


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


class WholeConnection(aiosqlite.Connection):
    def cursor(self) -> WholeCursor:  # type: ignore[override]
        return WholeCursor(self)

    async def run(
        self, sql: str, parameters: Sequence[Any], *, is_many: bool = False, first: str = ""
    ) -> Outcome:
        """Run one statement, and another without parameters before it; either may be left out (empty)."""
        work = self._execute(_run, self._conn, sql, parameters, is_many, first)  # type: ignore[no-untyped-call]
        outcome: Outcome = await work
        return outcome

    async def roll_back(self) -> None:
        """End the transaction, if there is one: SQLite itself ends it over some errors."""
        await self._execute(_roll_back, self._conn)  # type: ignore[no-untyped-call]


def _run(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[Any], is_many: bool, first: str
) -> Outcome:
    if first:
        connection.execute(first).close()
    if not sql:
        return _NOTHING
    cursor = connection.executemany(sql, parameters) if is_many else connection.execute(sql, parameters)
    try:
        return Outcome(cursor)
    finally:
        cursor.close()


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK").close()


def connection_to(path: Path, *, busy_timeout_s: float) -> WholeConnection:
    """A connection that is opened when it is awaited. Transactions begin and end only as they are told to."""
    open_it = partial(
        sqlite3.connect, path, timeout=busy_timeout_s, isolation_level=None, cached_statements=256
    )
    connection = WholeConnection(open_it, iter_chunk_size=64)
    # A process that is about to end does not wait for idle database threads.
    connection._thread.daemon = True
    return connection
