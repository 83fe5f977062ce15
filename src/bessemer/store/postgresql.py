"""The driver of PostgreSQL: see ``driver``. Loaded with the first connection, and asyncpg with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError

from bessemer.kernel.error import InternalError
from bessemer.store.driver import Parameters, arguments
from bessemer.store.statement import Plan, Rows


class PostgresqlDriver:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_confused = False

    @property
    def is_broken(self) -> bool:
        return self._is_confused or bool(self._connection.is_closed())

    async def begin(self) -> None:
        with self.guarded("BEGIN"):
            await self._connection.execute("BEGIN")

    async def ensure_begun(self) -> None:
        """It has begun already."""

    async def commit(self) -> None:
        with self.guarded("COMMIT"):
            status = await self._connection.execute("COMMIT")
        if status != "COMMIT":
            raise InternalError("a transaction went on after a statement had failed in it")

    async def roll_back(self) -> None:
        with self.guarded("ROLLBACK"):
            await self._connection.execute("ROLLBACK")

    async def run(self, plan: Plan, parameters: Parameters | None) -> Rows:
        sent = arguments(plan, parameters)
        with self.guarded(plan.sql):
            if isinstance(parameters, list):
                await self._connection.executemany(plan.sql, sent)
                return Rows((), len(parameters))
            if plan.has_rows:
                rows = await self._connection.fetch(plan.sql, *sent)
                return Rows(plan.decoded(rows), len(rows))
            status = await self._connection.execute(plan.sql, *sent)
            return Rows((), int(status.rpartition(" ")[2]))

    @contextmanager
    def guarded(self, sql: str) -> Iterator[None]:
        try:
            yield
        except asyncpg.IntegrityConstraintViolationError as error:
            raise IntegrityError(sql, None, error) from error
        except asyncpg.InternalClientError as error:
            # The server ended the connection, and asyncpg has not noticed yet.
            self._is_confused = True
            lost = ConnectionResetError("the connection to the database was lost")
            raise DBAPIError(sql, None, lost, connection_invalidated=True) from error
        except TimeoutError as error:
            # The host may be gone without a word: whoever tried again here would wait as long once more.
            self._is_confused = True
            raise DBAPIError(sql, None, error, connection_invalidated=True) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise DBAPIError(sql, None, error, connection_invalidated=self.is_broken) from error
