"""A new database: the tables as they are, without the history that led to them.

Alembic and the revisions would cost every process that starts on an empty database 10 MiB for as long as it
lives, and a third of a second. That both ways lead to the same schema is what the tests of migration hold.
"""

from typing import Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table

from bessemer.store.table import METADATA

#: The oldest revision whose program works with these tables: the greatest ``NEEDS`` of all revisions.
OLDEST_PROGRAM: Final = "0001"

#: As Alembic makes it, with our column behind its own. Source: alembic.runtime.migration.
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    Column("oldest_program", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create(connection: Connection, revision: str) -> None:
    """Make all tables in an empty database, which is at ``revision`` then. Raises DBAPIError."""
    METADATA.create_all(connection, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=revision, oldest_program=OLDEST_PROGRAM))
