"""Looking at a database without changing it: is it ours, whole, and of which schema."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bessemer.kernel.clock import SystemClock, timestamp
from bessemer.kernel.error import Unavailable
from bessemer.store.connect import APPLICATION, connect
from bessemer.store.failure import reason
from bessemer.store.file_lock import find_user
from bessemer.store.migration import HEAD, find_revision


async def check_database(connection: str) -> tuple[str | None, list[str]]:
    """The schema's revision (None: the database is empty), and what is wrong, a sentence each.

    Raises:
        InvalidValue: ``connection`` is no URL of a database we know.
        Unavailable: It cannot be reached.
    """
    if is_missing(connection):
        return None, [_schema(None)]
    engines = connect(connection, pool_size=1)
    try:
        async with engines.read.connect() as found:
            revision = await found.run_sync(find_revision)
            wrong = [] if revision == HEAD else [_schema(revision)]
            if engines.has_one_writer and revision is not None:
                wrong += [str(row[0]) for row in await found.execute(text("PRAGMA integrity_check(10)"))]
                wrong += [
                    f"A row of {row[0]} refers to a row of {row[2]} that is not there."
                    for row in await found.execute(text("PRAGMA foreign_key_check"))
                ]
    except (DBAPIError, OSError, TimeoutError) as error:
        raise Unavailable(f"The database cannot be read: {reason(error)}.") from error
    finally:
        await engines.close()
    return revision, [sentence for sentence in wrong if sentence != "ok"]


def is_missing(connection: str) -> bool:
    """Whether this is an SQLite file that does not exist; opening it would make it."""
    family, _, rest = connection.partition(":///")
    return family == "sqlite" and not Path(rest.partition("?")[0]).exists()


def _schema(revision: str | None) -> str:
    if revision is None:
        return "The database is empty: 'bessemer db upgrade' makes its tables."
    if revision > HEAD:
        return f"The schema is at revision {revision}, that of a newer version; this one has {HEAD}."
    return f"The schema is at revision {revision}, this version wants {HEAD}: run 'bessemer db upgrade'."


async def list_holders(connection: str) -> list[str]:
    """Host names of conductors whose lease runs; none where there are no tables yet.

    Raises:
        InvalidValue: ``connection`` is no URL of a database we know.
        Unavailable: It cannot be reached, or is of another schema.
    """
    if is_missing(connection):
        return []
    engines = connect(connection, pool_size=1)
    try:
        async with engines.read.connect() as found:
            if await found.run_sync(find_revision) is None:
                return []
            now = timestamp(SystemClock())
            asked = text("SELECT hostname FROM conductors WHERE is_online AND lease_until > :now")
            return [str(row[0]) for row in await found.execute(asked, {"now": now})]
    except (DBAPIError, OSError, TimeoutError) as error:
        raise Unavailable(f"The database cannot be read: {reason(error)}.") from error
    finally:
        await engines.close()


async def list_clients(connection: str) -> list[str]:
    """Connections that Bessemer's processes have to a PostgreSQL database, each as where it comes from. Of an
    SQLite file, one process that has it open, whoever it is; not to be asked by a process that has.

    Raises:
        InvalidValue: ``connection`` is no URL of a database we know.
        Unavailable: It cannot be reached.
    """
    engines = connect(connection, pool_size=1)
    try:
        if engines.has_one_writer:
            user = find_user(Path(engines.url.database or ""))
            return [] if user is None else [f"this host, process {user}"]
        async with engines.read.connect() as found:
            return [str(row[0]) for row in await found.execute(text(_CLIENTS), {"name": APPLICATION})]
    except (DBAPIError, OSError, TimeoutError) as error:
        raise Unavailable(f"The database cannot be read: {reason(error)}.") from error
    finally:
        await engines.close()


_CLIENTS = (
    "SELECT coalesce(host(client_addr), 'this host') || ', server process ' || pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()"
    " ORDER BY pid"
)
