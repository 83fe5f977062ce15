"""The schema's history, and how a database is brought up to date when it is opened.

``versions/`` holds one Alembic revision per change. Alembic itself is only imported when there is something
to do: opening a current database costs one query.
"""

from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bessemer.kernel.error import Unavailable

#: The newest revision in ``versions/``.
HEAD: Final = "0008"

#: Any number, as long as nothing else of ours takes an advisory lock with it.
_LOCK = 0x6265_7373


async def ensure_schema(engine: AsyncEngine) -> None:
    """Create or upgrade the tables. Idempotent; two processes that start together wait for each other.

    Raises:
        Unavailable: The database cannot be reached, or a newer version of Bessemer has changed it.
    """
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(find_revision) == HEAD:
                return
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    except (DBAPIError, OSError, TimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Unavailable(f"The database cannot be opened: {reason}.") from error


def find_revision(connection: Connection) -> str | None:
    """The revision the database is at; None when it is empty."""
    has_table = connection.dialect.has_table(connection, "alembic_version")
    if not has_table:
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(connection: Connection) -> None:
    from bessemer.store.migration.script import known_revisions, upgrade

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    revision = find_revision(connection)  # another process may have been quicker
    if revision == HEAD:
        return
    if revision is not None and revision not in known_revisions():
        raise Unavailable(
            f"The database is at schema revision '{revision}', which this version does not know.",
            hint="A newer version of Bessemer has upgraded it: run that version.",
        )
    upgrade(connection)
