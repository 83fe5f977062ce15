"""The database: one door for reading and one for writing, the same for SQLite and PostgreSQL.

Reading: every statement sees what was committed before it began. Writing: one transaction, committed when the
block ends and rolled back when it raises. On SQLite one writer at a time holds the database (others of this
process wait in line, other processes by ``busy_timeout``); on PostgreSQL rows are locked as they are written.
Lock a node before its operations wherever both are written: the engine does so too, and the same order
everywhere is what keeps PostgreSQL from deadlocks.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar, overload

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter
from sqlalchemy.exc import DBAPIError, IntegrityError

from bessemer.kernel.clock import Clock, SystemClock, Timestamp, timestamp
from bessemer.kernel.error import InternalError
from bessemer.store.connect import Engines, connect
from bessemer.store.driver import Parameters
from bessemer.store.failure import translated
from bessemer.store.migration import ensure_schema
from bessemer.store.notify import Notifier, postgresql_notifier
from bessemer.store.notify_socket import SocketNotifier
from bessemer.store.pool import Link, Pool
from bessemer.store.statement import Rows, Statement
from bessemer.store.turn import Turn
from bessemer.store.vault import Vault

T = TypeVar("T")

#: Longest wait for a turn to write (SQLite) or for a pooled connection.
TURN_S = 30.0


#: What lists for the wire are made of: values by the names of the columns asked for.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class Transaction:
    """What queries are run on. ``clock`` is the process's clock; ``now()`` its present reading; ``vault``
    seals and opens what is secret."""

    __slots__ = (
        "_after_commit",
        "_connection",
        "_driver",
        "_is_spoiled",
        "_notifier",
        "changed",
        "clock",
        "is_writing",
        "node_rows",
        "nodes",
        "vault",
    )

    def __init__(
        self,
        link: Link,
        clock: Clock,
        notifier: Notifier,
        vault: Vault,
        *,
        is_writing: bool,
    ) -> None:
        self._connection = link.connection
        self._driver = link.driver
        self._notifier = notifier
        self._after_commit: list[Callable[[], None]] = []
        self._is_spoiled = False
        self.clock = clock
        self.vault = vault
        self.is_writing = is_writing
        #: Nodes that are locked here, as they are within this transaction: nobody else changes them before it
        #: ends. Rows of those that were not asked for yet, records of the others; by UUID.
        self.node_rows: dict[str, Any] = {}
        self.nodes: dict[str, Any] = {}
        #: What was changed, as kinds and UUIDs in order; kept by the queries that change what has a UUID.
        self.changed: dict[tuple[str, str], None] = {}

    @property
    def is_postgresql(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def now(self) -> Timestamp:
        return timestamp(self.clock)

    @overload
    async def execute(self, statement: Statement, parameters: Parameters | None = None) -> Rows: ...

    @overload
    async def execute(
        self,
        statement: Executable,
        parameters: Any = None,
        *,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(
        self,
        statement: Statement | Executable,
        parameters: Any = None,
        *,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> Rows | CursorResult[*tuple[Any, ...]]:
        """Run one statement. A list of parameters runs it once for each.

        Raises:
            sqlalchemy.exc.IntegrityError: A constraint was broken. The transaction is over: everything but
                leaving the block raises from now on (PostgreSQL's rule, kept for both).
            DatabaseLost: The database is gone or busy, or another transaction won; trying again can help.
            InternalError: A write in a reading block, or anything after a broken constraint.
        """
        self._check_whole()
        try:
            if isinstance(statement, Statement):
                return await self._run(statement, parameters)
            self._check_may(is_write=getattr(statement, "is_dml", False))
            if self.is_writing:
                await self._driver.ensure_begun()
            work = self._connection.execute(statement, parameters, execution_options=execution_options or {})
            with self._driver.guarded(""):  # against what SQLAlchemy passes on as it is
                return await (_whole(work) if self.is_writing and not self.is_postgresql else work)
        except IntegrityError:
            self._is_spoiled = True
            raise
        except DBAPIError as error:
            raise translated(error) from error

    async def _run(self, statement: Statement, parameters: Parameters | None) -> Rows:
        """A fixed statement: by the driver itself, at a fraction of the cost."""
        if isinstance(parameters, list):
            names = tuple(parameters[0])
        else:
            names = tuple(parameters) if parameters else ()
        plan = statement.plan(self._connection.dialect, names)
        self._check_may(is_write=plan.is_write)
        return await self._driver.run(plan, parameters)

    def _check_may(self, *, is_write: bool) -> None:
        if is_write and not self.is_writing:
            raise InternalError("a write was tried in a reading block")

    def note_change(self, kind: str, uuid: str) -> None:
        """Something of this kind was made, changed or deleted here."""
        self.changed[kind, uuid] = None

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once this transaction has become true; never when it is rolled back."""
        self._after_commit.append(callback)

    async def notify(self, channel: str, payload: str = "") -> None:
        """Tell every listener of ``channel`` once this transaction has become true.

        Listeners may be in other processes. Delivery is a hint that saves waiting: who depends on the fact
        also looks into the database from time to time.
        """
        await self._notifier.notify(self, channel, payload)

    def _check_whole(self) -> None:
        if self._is_spoiled:
            raise InternalError("a transaction went on after a constraint had been broken in it")

    def _committed(self) -> None:
        # They often know the transaction: kept on, the two would keep each other, and all that was read.
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()


class Database:
    """An open database. Make it with ``await Database.open(url)``, end it with ``await close()``."""

    def __init__(
        self, engines: Engines, clock: Clock, notifier: Notifier, vault: Vault | None = None
    ) -> None:
        self._engines = engines
        self._notifier = notifier
        self._turn = Turn(TURN_S) if engines.has_one_writer else None
        self.clock = clock
        #: Without keys until ``key.unlock`` puts them in: nothing secret can be written or read before.
        self.vault = vault or Vault(None)
        #: Called with each writing transaction before it is committed; what it raises undoes the transaction.
        self.before_commit: Callable[[Transaction], Awaitable[None]] | None = None

    @classmethod
    async def open(
        cls, url: str, *, pool_size: int = 10, clock: Clock | None = None, vault: Vault | None = None
    ) -> Self:
        """Open the database at ``url``, create it when it is new, bring its tables up to date.

        ``url`` is ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://user@host:port/name``.

        Raises:
            InvalidValue: ``url`` is not one of these.
            Unavailable: The database cannot be reached, or was written by a newer version of Bessemer.
        """
        engines = connect(url, pool_size=pool_size)
        try:
            await ensure_schema(engines.schema)
            await engines.schema.dispose()
        except BaseException:
            await engines.close()
            raise
        return cls(engines, clock or SystemClock(), _notifier_for(engines), vault)

    async def close(self) -> None:
        await self._notifier.close()
        await self._engines.close()

    @property
    def is_postgresql(self) -> bool:
        return self._engines.dialect.name == "postgresql"

    @property
    def pools(self) -> dict[str, Pool]:
        """The pools of connections, by what they are for."""
        engines = self._engines
        if engines.has_one_writer:  # what is urgent goes first there, on the same connection
            return {"read": engines.read, "write": engines.write}
        return {"both": engines.read, "urgent": engines.urgent}

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A block that reads.

        Raises:
            DatabaseLost: No connection could be had in time.
        """
        return self._read()

    def write(self, *, is_urgent: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A block whose writes become true together at its end, or not at all when it raises.

        Do not wait for the outside world inside, and do not open a second one inside. ``is_urgent``: it goes
        before whatever else of this process waits for the database. For what a process lives by, and rare.

        Raises:
            DatabaseLost: The turn to write, or a connection, could not be had in time.
        """
        if self._turn is None:
            return self._write_together(self._engines.urgent if is_urgent else self._engines.write)
        return self._write_in_turn(self._turn, is_urgent=is_urgent)

    def listen(self, channel: str, callback: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """While the block runs, call ``callback`` with the payload of each ``Transaction.notify``."""
        return self._notifier.listen(channel, callback)

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[Transaction]:
        async with _link(self._engines.read) as link:
            yield self._transaction(link, is_writing=False)

    @asynccontextmanager
    async def _write_together(self, pool: Pool) -> AsyncIterator[Transaction]:
        """PostgreSQL: as many as there are connections; rows are locked as they are written."""
        async with _link(pool) as link:
            driver: Any = link.driver
            tx = self._transaction(link, is_writing=True)
            try:
                await _translated(driver.begin())
                yield tx
                await self._complete(tx)
            except BaseException:
                await _to_the_end(_roll_back(link))
                raise
            cancelled = await _commit(link)
            _tell(tx, cancelled)

    @asynccontextmanager
    async def _write_in_turn(self, turn: Turn, *, is_urgent: bool) -> AsyncIterator[Transaction]:
        """SQLite: one after the other. Who is done leaves the commit to those behind him."""
        await turn.take(is_urgent=is_urgent)
        try:
            async with _link(self._engines.write) as link:
                driver: Any = link.driver
                tx = self._transaction(link, is_writing=True)
                try:
                    turn.begin(driver)
                    yield tx
                    await self._complete(tx)
                    done = turn.join(driver)
                except BaseException:
                    await _to_the_end(_roll_back(link))
                    raise
        finally:
            turn.pass_on()
        cancelled = await _finished(done)
        _tell(tx, cancelled)

    def _transaction(self, link: Link, *, is_writing: bool) -> Transaction:
        return Transaction(link, self.clock, self._notifier, self.vault, is_writing=is_writing)

    async def _complete(self, tx: Transaction) -> None:
        tx._check_whole()
        if self.before_commit is not None:
            await self.before_commit(tx)


def _tell(tx: Transaction, cancelled: asyncio.CancelledError | None) -> None:
    """What waited for the commit hears of it; a cancellation that came meanwhile goes on then."""
    try:
        tx._committed()
    finally:
        if cancelled is not None:
            raise cancelled


def _notifier_for(engines: Engines) -> Notifier:
    if engines.has_one_writer:
        return SocketNotifier(Path(f"{engines.url.database}-notify"))
    return postgresql_notifier(engines)


@asynccontextmanager
async def _link(pool: Pool) -> AsyncIterator[Link]:
    link = await pool.take()
    try:
        yield link
    finally:
        rest = pool.give_back(link)
        if rest is not None:
            await _to_the_end(rest)


async def _translated(work: Awaitable[None]) -> None:
    try:
        await work
    except DBAPIError as error:
        raise translated(error) from error


async def _roll_back(link: Link) -> None:
    """A connection that cannot even do this is thrown away, with whatever it was in. SQLAlchemy does so
    by itself when a task is cancelled in one of its statements.
    """
    if link.is_broken:
        return
    try:
        await link.driver.roll_back()
    except DBAPIError:
        await link.connection.invalidate()


async def _commit(link: Link) -> asyncio.CancelledError | None:
    """A commit that was sent is true, whoever gave up waiting for it: the caller must learn that it is."""
    driver: Any = link.driver
    try:
        return await _finished(_translated(driver.commit()))
    except BaseException:
        await _to_the_end(_roll_back(link))
        raise


async def _to_the_end(work: Awaitable[Any]) -> None:
    """Finish ``work`` even when this task is cancelled meanwhile, and be cancelled then."""
    cancelled = await _finished(work)
    if cancelled is not None:
        raise cancelled


async def _whole(work: Awaitable[T]) -> T:
    """Finish ``work`` even when this task is cancelled meanwhile, and be cancelled then.

    SQLAlchemy throws a connection away when a task is cancelled in one of its statements. In SQLite's writing
    one there is also what others did, who wait for the commit.
    """
    task = asyncio.ensure_future(work)
    await _to_the_end(task)
    return task.result()


async def _finished(work: Awaitable[Any]) -> asyncio.CancelledError | None:
    """Finish ``work`` even when this task is cancelled meanwhile; give the cancellation back, if any.

    Where both happened, being cancelled is what counts: a caller that only hears of a failure tries again.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except BaseException:  # noqa: BLE001, S110  raised by result() below
            pass
    if cancelled is not None and (task.cancelled() or task.exception() is not None):
        raise cancelled
    task.result()
    return cancelled
