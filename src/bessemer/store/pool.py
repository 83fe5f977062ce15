"""Connections that are kept between blocks.

SQLAlchemy's own pool takes a connection apart and puts it together again for every use, which costs as much
as a statement. Ours are left as they are: in autocommit mode, and whoever has one ends what he began.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from bessemer.kernel.error import DatabaseLost
from bessemer.kernel.metric import DATABASE_WAIT_S
from bessemer.store.driver import Driver, driver_of
from bessemer.store.engine import Connection, Engine
from bessemer.store.failure import reason


@dataclass(slots=True, eq=False)
class Link:
    """A connection of SQLAlchemy's and the driver below it."""

    connection: Connection
    driver: Driver

    @property
    def is_broken(self) -> bool:
        return self.connection.invalidated or self.driver.is_broken


class Pool:
    """At most ``size`` connections of ``engine``; who asks for another waits up to ``patience_s`` seconds."""

    def __init__(self, engine: Engine, size: int, patience_s: float) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(size)
        self._size = size
        self._used = 0
        #: The one used last comes first: its caches are warm.
        self._idle: list[Link] = []
        self._is_closed = False

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """One more connection, for the time of a block."""
        return self._engine.connect()

    @property
    def usage(self) -> tuple[int, int, int]:
        """Connections in use, idle, and at most."""
        return self._used, len(self._idle), self._size

    async def take(self) -> Link:
        """A connection that works, as far as anybody knows.

        Raises:
            DatabaseLost: None was to be had in time, or the database cannot be reached.
        """
        if self._room.locked():
            await self._wait()
        else:
            await self._room.acquire()  # at once
        self._used += 1
        try:
            while self._idle:
                link = self._idle.pop()
                if not link.is_broken:
                    return link
                await _discard(link)
            return await self._open()
        except BaseException:
            self._used -= 1
            self._room.release()
            raise

    def give_back(self, link: Link) -> Awaitable[None] | None:
        """Where the connection is of no more use, what is left to do: it has to be carried to its end."""
        self._used -= 1
        self._room.release()
        if link.is_broken or self._is_closed:
            return _discard(link)
        self._idle.append(link)
        return None

    async def close(self) -> None:
        """Connections in use are closed when they are given back."""
        self._is_closed = True
        while self._idle:
            await _discard(self._idle.pop())

    async def _wait(self) -> None:
        try:
            with DATABASE_WAIT_S.labels("connection").time():
                async with asyncio.timeout(self._patience_s):
                    await self._room.acquire()
        except TimeoutError as error:
            raise DatabaseLost(f"The database was busy for {self._patience_s:g} seconds.") from error

    async def _open(self) -> Link:
        try:
            connection = await self._engine.open()
        except (OSError, TimeoutError, DBAPIError) as error:
            raise DatabaseLost(f"The database cannot be reached: {reason(error)}.") from error
        return Link(connection, driver_of(connection))


async def _discard(link: Link) -> None:
    if link.is_broken:
        await link.connection.invalidate()
    await link.connection.close()
