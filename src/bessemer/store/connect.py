"""Connections: how a database URL becomes the engines for reading and writing."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Dialect, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from bessemer.kernel.error import InvalidValue, Unavailable
from bessemer.store.engine import Engine
from bessemer.store.pool import Pool
from bessemer.store.sqlite import Endings, WholeConnection

#: Longest wait for a database connection to be made, a statement to end, a lock to be had.
CONNECT_S, STATEMENT_S, LOCK_S = 10.0, 60.0, 30.0

#: A process that was stopped in the middle of a transaction must not keep its row locks for longer than its
#: lease runs: its operations could not be taken over. No transaction of ours waits for the outside world.
IDLE_S = 10.0

#: How our connections are called in PostgreSQL's own views.
APPLICATION = "bessemer"

_POSTGRESQL_SETTINGS = {
    "application_name": APPLICATION,
    "jit": "off",
    "lock_timeout": f"{LOCK_S:g}s",
    "idle_in_transaction_session_timeout": f"{IDLE_S:g}s",
}

#: For engines whose connections we keep ourselves, and whose transactions we end ourselves (see ``pool``).
_KEPT_BY_US: dict[str, Any] = {
    "poolclass": NullPool,
    "pool_reset_on_return": None,
    "skip_autocommit_rollback": True,
}

_SYNCHRONOUS = ("off", "normal", "full")


@dataclass(frozen=True, slots=True)
class Engines:
    """``read`` and ``write`` give connections that run each statement as it comes: transactions are begun and
    ended below them (see ``driver``). ``urgent`` is one connection more where there are many: it has no
    queue. ``schema`` has transactions of its own, for migrations only.
    ``endings`` are of connections that were thrown away, and whose threads have not ended yet.
    """

    read: Pool
    write: Pool
    urgent: Pool
    schema: Engine
    endings: Endings = field(default_factory=set)

    @property
    def has_one_writer(self) -> bool:
        return self.dialect.name == "sqlite"

    @property
    def dialect(self) -> Dialect:
        return self.schema.dialect

    @property
    def url(self) -> URL:
        return self.schema.url

    async def close(self) -> None:
        await self.read.close()
        for pool in {self.write, self.urgent} - {self.read}:
            await pool.close()
        await self.schema.dispose()
        if self.endings:
            await asyncio.wait(self.endings, timeout=STATEMENT_S)


def connect(url: str, *, pool_size: int) -> Engines:
    """Engines for ``url``; nothing is connected yet.

    Raises:
        InvalidValue: The URL is malformed or of a database we do not know.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValue("The database connection is not a URL like sqlite:///FILE.") from error
    family = parsed.get_backend_name()
    if family == "sqlite":
        return _sqlite(parsed, pool_size)
    if family == "postgresql":
        return _postgresql(parsed, pool_size)
    raise InvalidValue(
        f"The database connection names '{family}'.",
        hint="Use sqlite:///FILE or postgresql://USER@HOST/NAME.",
    )


def _postgresql(url: URL, pool_size: int) -> Engines:
    asynchronous = url.set(drivername="postgresql+asyncpg")
    arguments = {
        "timeout": CONNECT_S,
        "command_timeout": STATEMENT_S,
        "server_settings": _POSTGRESQL_SETTINGS,
    }
    both = Engine(asynchronous, isolation_level="AUTOCOMMIT", connect_args=arguments, **_KEPT_BY_US)
    schema = Engine(asynchronous, poolclass=NullPool, connect_args=arguments)
    pool = Pool(both, pool_size, LOCK_S)
    return Engines(pool, pool, Pool(both, 1, LOCK_S), schema)


def _sqlite(url: URL, pool_size: int) -> Engines:
    if not url.database or url.database == ":memory:":
        raise InvalidValue("An SQLite database needs a file: sqlite:///FILE.")
    path = Path(url.database)
    synchronous = str(url.query.get("synchronous", "full")).lower()
    if synchronous not in _SYNCHRONOUS:
        raise InvalidValue(f"synchronous={synchronous} is none of {', '.join(_SYNCHRONOUS)}.")
    # What a savepoint may have to take back is kept in memory.
    pragmas = ("foreign_keys = ON", f"synchronous = {synchronous}", "temp_store = MEMORY")
    endings: Endings = set()
    # Half of SQLite's own measure, in KiB, for each of many readers: the system caches the file anyway.
    reading = ("query_only = ON", "cache_size = -1024")
    read = _sqlite_engine(path, reading, endings, **_KEPT_BY_US)
    write = _sqlite_engine(path, pragmas, endings, **_KEPT_BY_US)
    schema = _sqlite_engine(path, pragmas, endings, poolclass=NullPool)
    event.listen(schema.sync, "begin", _begin_immediate)
    writer = Pool(write, 1, LOCK_S)
    return Engines(Pool(read, pool_size, LOCK_S), writer, writer, schema, endings)


def _sqlite_engine(path: Path, pragmas: tuple[str, ...], endings: Endings, **more: Any) -> Engine:
    def open_private(*_: Any, **__: Any) -> WholeConnection:
        _ensure_private_file(path)
        return WholeConnection(path, endings, patience_s=LOCK_S)

    def connect_through_aiosqlite() -> Any:
        driver: Any = engine.dialect.dbapi
        return driver.connect(async_creator_fn=open_private)

    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = Engine(url, creator=connect_through_aiosqlite, **more)

    @event.listens_for(engine.sync, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        # Readers go on while one writes. FULL syncs the log at each commit: that a step has begun is on disk
        # before the step touches the machine, so that not even a power cut makes us do it twice unawares.
        for pragma in ("journal_mode = WAL", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _ensure_private_file(path: Path) -> None:
    """The file holds BMC passwords: nobody but its owner may read it.

    One that exists is not opened, not even for a moment: closing it again would drop the locks that SQLite's
    own connections in this process hold on it. Source: SQLite, "How To Corrupt An SQLite Database File", 2.2.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable(f"The database file '{path}' cannot be created: {error.strerror}.") from error
