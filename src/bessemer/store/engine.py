"""SQLAlchemy's engine and connections, waited for on the loop.

SQLAlchemy has this too, in ``sqlalchemy.ext.asyncio``, which loads the whole ORM: 6 MiB in every process and
a twentieth of its start, for what nobody here uses. What is left without it is to run the synchronous calls
in a greenlet, where SQLAlchemy's dialects for asyncio wait by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from sqlalchemy import URL, CursorResult, Dialect, Executable, create_engine
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine as SyncEngine
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter
from sqlalchemy.util import greenlet_spawn

T = TypeVar("T")


class Connection:
    """One connection, which whoever starts it closes. Raises what SQLAlchemy does."""

    __slots__ = ("_sync",)

    def __init__(self, sync: SyncConnection) -> None:
        self._sync = sync

    @classmethod
    async def start(cls, engine: SyncEngine) -> Self:
        return cls(await greenlet_spawn(engine.connect))

    @property
    def dialect(self) -> Dialect:
        return self._sync.dialect

    @property
    def invalidated(self) -> bool:
        return self._sync.invalidated

    @property
    def below(self) -> Any:
        """The driver's own connection."""
        return self._sync.connection.driver_connection

    async def execute(
        self,
        statement: Executable,
        parameters: Any = None,
        *,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement; all it brings has come by then."""
        return await greenlet_spawn(
            self._sync.execute, statement, parameters, execution_options=execution_options
        )

    async def run_sync(self, work: Callable[[SyncConnection], T]) -> T:
        """What ``work`` gives, which waits for the database like any synchronous function."""
        return await greenlet_spawn(work, self._sync)

    async def invalidate(self) -> None:
        """Throw away what is below."""
        await greenlet_spawn(self._sync.invalidate)

    async def close(self) -> None:
        await greenlet_spawn(self._sync.close)


class Engine:
    """Makes connections. Its dialect is one for asyncio."""

    def __init__(self, url: URL, **options: Any) -> None:
        """``options`` are those of SQLAlchemy's ``create_engine``. Connects to nothing yet."""
        self.sync = create_engine(url, **options)

    @property
    def dialect(self) -> Dialect:
        return self.sync.dialect

    @property
    def url(self) -> URL:
        return self.sync.url

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection for the time of the block."""
        connection = await self.open()
        try:
            yield connection
        finally:
            # Also where the task is cancelled meanwhile: nobody else would close it.
            await asyncio.shield(asyncio.ensure_future(connection.close()))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A transaction of its own for the time of the block, taken back when it raises."""
        async with self.connect() as connection:
            transaction = await connection.run_sync(lambda sync: sync.begin())
            try:
                yield connection
            except BaseException:
                await greenlet_spawn(transaction.rollback)
                raise
            await greenlet_spawn(transaction.commit)

    async def open(self) -> Connection:
        """A connection whose user closes it."""
        return await Connection.start(self.sync)

    async def dispose(self) -> None:
        await greenlet_spawn(self.sync.dispose)
