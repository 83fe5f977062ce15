"""Whose turn it is to write to SQLite, and the transaction that blocks in a row share.

SQLite has one writer, and its commit waits for the disk. While some wait for their turn, those who are done
leave the transaction open for the next, each behind a savepoint of its own, and are told of the commit that
makes them all true. A block that fails takes back what it did itself. See ADR 0017.
"""

import asyncio
from collections import deque

import structlog
from sqlalchemy.exc import DBAPIError

from bessemer.kernel.error import BessemerError, DatabaseLost, InternalError
from bessemer.kernel.metric import DATABASE_WAIT_S
from bessemer.store.driver import SqliteDriver
from bessemer.store.failure import reason

_log = structlog.get_logger()

#: So many blocks share a transaction at most: the first waits for the last.
_MOST = 16

#: What a commit fails with: the second where the connection was closed.
_FAILURES = (DBAPIError, ValueError)


class Turn:
    """Of one writing connection: ``take``, ``begin``, ``join`` if all went well, ``pass_on`` whatever did."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._holder: asyncio.Task[object] | None = None
        self._is_free = True
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: Those who were done and wait for the commit.
        self._group: list[asyncio.Future[None]] = []
        self._driver: SqliteDriver | None = None
        self._commit: asyncio.Task[None] | None = None

    async def take(self, *, is_urgent: bool = False) -> None:
        """Wait for the turn. The urgent come before those who wait.

        Raises:
            DatabaseLost: It did not come in time.
            InternalError: This task has it already.
        """
        me = asyncio.current_task()
        if self._holder is not None and self._holder is me:
            raise InternalError("a writing block was opened inside another one")
        if self._is_free:
            self._is_free = False
        else:
            await self._wait(is_urgent=is_urgent)
        self._holder = me

    async def _wait(self, *, is_urgent: bool) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if is_urgent:
            self._waiting.appendleft(mine)
        else:
            self._waiting.append(mine)
        try:
            with DATABASE_WAIT_S.labels("turn").time():
                async with asyncio.timeout(self._patience_s):
                    await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self.pass_on()  # it came at the very moment we gave up
            elif mine in self._waiting:
                self._waiting.remove(mine)
            if isinstance(error, TimeoutError):
                raise DatabaseLost(f"The database was busy for {self._patience_s:g} seconds.") from error
            raise

    def begin(self, driver: SqliteDriver) -> None:
        """The holder's block begins: a transaction, or its part of the one that is open."""
        if self._group and driver is not self._driver:
            self._end_all(DatabaseLost("The connection to the database was thrown away."))
        self._check_whole()
        driver.begin_block(len(self._group))

    def join(self, driver: SqliteDriver) -> asyncio.Future[None]:
        """The holder's block is complete: a future that is done when it is committed.

        Raises:
            DatabaseLost: SQLite had to give the transaction up.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not driver.has_begun:
            done.set_result(None)  # nothing was done
            return done
        self._driver = driver
        self._group.append(done)
        self._check_whole()
        if done.done():
            done.result()
        return done

    def pass_on(self) -> None:
        """Let the next write, or commit when nobody waits or enough have joined."""
        self._holder = None
        while self._waiting and len(self._group) < _MOST:
            following = self._waiting.popleft()
            if not following.done():  # else its task was cancelled, and is about to find out
                following.set_result(None)
                return
        if self._group:
            self._commit = asyncio.create_task(self._commit_all(), name="commit")
        else:
            self._is_free = True

    def _check_whole(self) -> None:
        """SQLite itself ends a transaction over some errors, a full disk say: nothing of it is true then."""
        if self._group and self._driver is not None and not self._driver.is_in_transaction:
            self._end_all(DatabaseLost("The database had to give up the transaction."))

    async def _commit_all(self) -> None:
        error: BessemerError | None = DatabaseLost("The process is ending.")
        try:
            error = await self._committed()
        finally:
            self._end_all(error)
            self.pass_on()

    async def _committed(self) -> BessemerError | None:
        """Why it could not be done, if it could not."""
        driver = self._driver
        if driver is None:
            return InternalError("nothing was written, and is to be committed")
        try:
            await driver.commit()
        except _FAILURES as failed:
            try:
                await driver.end()
            except _FAILURES as again:
                _log.warning("a transaction could not be taken back", error=reason(again))
            return DatabaseLost(f"The database did not take the changes: {reason(failed)}.")
        return None

    def _end_all(self, error: BessemerError | None) -> None:
        group, self._group = self._group, []
        for done in group:
            if error is None:
                done.set_result(None)
            else:
                # Each its own: a traceback belongs to one task.
                done.set_exception(type(error)(error.message, hint=error.hint))
