"""The schema's history, and how a database is brought up to date when it is opened.

``versions/`` holds one Alembic revision per change. Alembic itself is only imported to upgrade what is there:
opening a current database costs one query, and an empty one gets its tables as they are now (``creation``).

During a rolling upgrade two releases work on one database. So a change has two halves, a release apart: one
that *expands* (the release before works on beside it), and one that *contracts* (takes away what the release
before has ceased to use). A contracting revision says in ``NEEDS`` which revision's program is the oldest
that works with it. The oldest one for the whole schema is noted beside Alembic's own version, in the
database, where a program can find it that is older than the schema.
"""

import asyncio
from typing import Final

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bessemer.kernel.error import Unavailable
from bessemer.store.engine import Engine
from bessemer.store.migration.creation import create
from bessemer.store.migration.lock import ATTEMPTS, is_in_the_way, lock_tables, pause_s

#: The newest revision in ``versions/``.
HEAD: Final = "0013"

#: Any number, as long as nothing else of ours takes an advisory lock with it.
_LOCK = 0x6265_7373
#: Our column beside Alembic's own.
_OLDEST: Final = "oldest_program"

log = structlog.get_logger(__name__)


async def ensure_schema(engine: Engine) -> None:
    """Create or upgrade the tables. Idempotent; two processes that start together wait for each other, and
    both for who is at work on the tables.

    Left as it is when a newer version of Bessemer has only expanded the schema since: that version is being
    rolled out, and this one still works.

    Raises:
        Unavailable: The database cannot be reached, or a newer version of Bessemer has taken something away.
    """
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(find_revision) == HEAD:
                return
        await _migrate_patiently(engine)
    except (DBAPIError, OSError, TimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Unavailable(f"The database cannot be opened: {reason}.") from error


async def _migrate_patiently(engine: Engine) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_migrate)
        except DBAPIError as error:
            if attempt == ATTEMPTS or not is_in_the_way(error):
                raise
            if attempt == 1:
                log.info("waiting for others to let go of tables that are to be migrated")
        else:
            return
        await asyncio.sleep(pause_s())


def find_revision(connection: Connection) -> str | None:
    """The revision the database is at; None when it is empty."""
    has_table = connection.dialect.has_table(connection, "alembic_version")
    if not has_table:
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def find_oldest_program(connection: Connection) -> str | None:
    """The oldest revision whose program works with the schema; None where no version has noted it."""
    if not _has_note(connection):
        return None
    oldest: str | None = connection.execute(text(f"SELECT {_OLDEST} FROM alembic_version")).scalar()  # noqa: S608
    return oldest


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    revision = find_revision(connection)  # another process may have been quicker
    if revision == HEAD:
        return
    if revision is None:
        create(connection, HEAD)
        return
    from bessemer.store.migration.script import known_revisions, upgrade

    if revision not in known_revisions():
        _check_usable(connection, revision)
        return
    if connection.dialect.name == "postgresql":
        lock_tables(connection)
    upgrade(connection)
    note_oldest_program(connection)


def _check_usable(connection: Connection, revision: str) -> None:
    """Raises Unavailable when we do not work with the schema of a newer version."""
    oldest = find_oldest_program(connection)
    if oldest is None or oldest > HEAD:
        raise Unavailable(
            f"The database is at schema revision '{revision}', which this version does not know.",
            hint="A newer version of Bessemer has upgraded it: run that version.",
        )


def note_oldest_program(connection: Connection) -> None:
    """Note beside Alembic's version what ``find_oldest_program`` finds."""
    from bessemer.store.migration.script import oldest_program

    if not _has_note(connection):
        connection.execute(text(f"ALTER TABLE alembic_version ADD COLUMN {_OLDEST} VARCHAR(32)"))
    connection.execute(
        text(f"UPDATE alembic_version SET {_OLDEST} = :oldest"),  # noqa: S608
        {"oldest": oldest_program()},
    )


def _has_note(connection: Connection) -> bool:
    columns = inspect(connection).get_columns("alembic_version")
    return any(column["name"] == _OLDEST for column in columns)
