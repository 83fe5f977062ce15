"""Drivers: the connection below SQLAlchemy's, for fixed statements and for beginning and ending transactions.

Each raises what SQLAlchemy would raise, so that nobody has to know which way a statement went. SQLite's is
here, PostgreSQL's in ``postgresql``.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError, IntegrityError

from bessemer.store.engine import Connection
from bessemer.store.sqlite import Outcome, WholeConnection
from bessemer.store.statement import Plan, Rows

#: A list of them runs the statement once for each.
Parameters = Mapping[str, Any] | list[dict[str, Any]]

#: From so many rows on, writing them is not short.
_MANY = 50


class Driver(Protocol):
    """One connection. Raises DBAPIError from every method."""

    @property
    def is_broken(self) -> bool:
        """Whether the connection is good for nothing any more."""

    async def ensure_begun(self) -> None:
        """Begin now: a statement follows that goes another way."""

    async def roll_back(self) -> None:
        """Take back what was done since the beginning, whatever became of it."""

    async def run(self, plan: Plan, parameters: Parameters | None) -> Rows: ...

    def guarded(self, sql: str) -> AbstractContextManager[None]:
        """What the database's client raises in the block becomes a DBAPIError about ``sql``. Parameters never
        go into it: there may be secrets among them."""


class SqliteDriver:
    """A block begins with its first statement: one in which nothing is done costs nothing. Which blocks share
    a transaction is decided above (see ``turn``)."""

    is_broken = False

    def __init__(self, connection: WholeConnection) -> None:
        self._connection = connection
        #: What is still to be run before the block's first statement.
        self._opening = ""
        self._savepoint = ""

    @property
    def has_begun(self) -> bool:
        """Whether anything was done in the block."""
        return not self._opening

    @property
    def is_in_transaction(self) -> bool:
        return self._connection.is_in_transaction

    def begin_block(self, number: int) -> None:
        """Begin a block, as the first (0) of a transaction or a later one, with its next statement."""
        self._savepoint = f"block_{number}" if number else ""
        # The write lock is taken at once: a transaction that reads first and locks later could find that
        # another process has written in between, and fail.
        self._opening = f"SAVEPOINT {self._savepoint}" if number else "BEGIN IMMEDIATE"

    async def ensure_begun(self) -> None:
        if self._opening:
            await self._execute("", (), is_short=True)

    async def commit(self) -> None:
        """Make all blocks of the transaction true. The disk is waited for in the thread."""
        await self._execute("COMMIT", ())

    async def roll_back(self) -> None:
        """Take the block back, and nothing before it."""
        if self._opening:
            self._opening = ""
            return
        with self.guarded("ROLLBACK"):
            await self._connection.roll_back(self._savepoint)

    async def end(self) -> None:
        """Take the whole transaction back."""
        with self.guarded("ROLLBACK"):
            await self._connection.roll_back()

    async def run(self, plan: Plan, parameters: Parameters | None) -> Rows:
        is_many = isinstance(parameters, list)
        is_short = not plan.is_long and not (parameters and len(parameters) > _MANY and is_many)
        sent = arguments(plan, parameters)
        outcome = await self._execute(plan.sql, sent, is_many=is_many, is_short=is_short)
        return Rows(plan.decoded(outcome.rows), outcome.rowcount)

    async def _execute(
        self, sql: str, arguments: Sequence[Any], *, is_many: bool = False, is_short: bool = False
    ) -> Outcome:
        first, self._opening = self._opening, ""  # when this is cancelled, the thread begins all the same
        try:
            return await self._connection.run(sql, arguments, is_many=is_many, first=first, is_short=is_short)
        except (sqlite3.Error, OSError):
            with self.guarded(sql or first):  # only now: entering it costs, and most statements go well
                raise

    @contextmanager
    def guarded(self, sql: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise IntegrityError(sql, None, error) from error
        except (sqlite3.Error, OSError) as error:
            raise DBAPIError(sql, None, error, connection_invalidated=self.is_broken) from error


def driver_of(connection: Connection) -> Driver:
    """The driver below a connection of SQLAlchemy's."""
    raw = connection.below
    if isinstance(raw, WholeConnection):
        return SqliteDriver(raw)
    from bessemer.store.postgresql import PostgresqlDriver  # a process on SQLite does without asyncpg

    return PostgresqlDriver(raw)


def arguments(plan: Plan, parameters: Parameters | None) -> list[Any]:
    """What is sent with the plan's statement; a list of it for each of several parameters."""
    if isinstance(parameters, list):
        return [plan.arguments(one) for one in parameters]
    return plan.arguments(parameters or {})
