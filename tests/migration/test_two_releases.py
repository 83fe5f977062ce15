"""A schema for two releases: what migrations may do, and what a program does with a schema newer than it."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.kernel.error import Unavailable
from bessemer.store import migration
from bessemer.store.database import Database
from bessemer.store.migration import HEAD
from migration.revision_rule import breaches, needs
from migration.test_schema import async_url

REVISIONS = sorted((Path(migration.__file__).parent / "versions").glob("[0-9]*.py"))
#: Breaches that break nothing, and why.
HARMLESS = {
    "0003": ["unique by the node's UUID, which is unique already"],
    "0013": [
        "unique by the node's UUID, which is unique already",
        "the new column, which the release before leaves empty, refers to nothing then",
        "the table is made again at once, with what was in it",
    ],
}


@pytest.mark.parametrize("path", REVISIONS[1:], ids=lambda path: path.stem)
def test_a_revision_lets_the_release_before_work_on_unless_it_says_what_it_needs(path: Path) -> None:
    source, number = path.read_text(), path.stem[:4]
    found = list(breaches(source))
    if number in HARMLESS:
        assert len(found) == len(HARMLESS[number])
        return
    needed = needs(source)
    if needed is None:
        assert found == [], f"declare NEEDS, the oldest revision whose program works without: {found}"
    else:
        # What is taken away was out of use a release before.
        assert "0001" <= needed < number


@pytest.mark.parametrize(
    "change",
    [
        "op.drop_column('nodes', 'name')",
        "op.rename_table('nodes', 'machines')",
        "op.alter_column('nodes', 'name', nullable=False)",
        "op.add_column('nodes', sa.Column('age', sa.Integer(), nullable=False))",
        "op.create_index('uq_nodes_owner', 'nodes', ['owner'], unique=True)",
        "with op.batch_alter_table('nodes') as batch:\n    batch.drop_column('name')",
    ],
)
def test_what_would_break_the_release_before_is_found(change: str) -> None:
    assert len(list(breaches(change))) == 1


@pytest.mark.parametrize(
    "change",
    [
        "op.add_column('nodes', sa.Column('age', sa.Integer(), nullable=False, server_default='0'))",
        "op.add_column('nodes', sa.Column('age', sa.Integer(), nullable=True))",
        "op.create_table('ages')\nop.create_index('uq_ages', 'ages', ['node'], unique=True)",
        "op.create_index('ix_nodes_owner', 'nodes', ['owner'], unique=False)",
        "op.drop_index('ix_nodes_owner', 'nodes')",
    ],
)
def test_what_breaks_nothing_is_let_pass(change: str) -> None:
    assert list(breaches(change)) == []


def test_a_contracting_revision_says_what_it_needs() -> None:
    assert needs("NEEDS = '0007'\n\ndef upgrade(): ...") == "0007"
    assert needs("def upgrade(): ...") is None


async def set_schema(url: str, **values: str) -> None:
    """Make the schema look like that of a later version."""
    engine = create_async_engine(async_url(url.partition("?")[0]))
    async with engine.begin() as connection:
        for column, value in values.items():
            statement = f"UPDATE alembic_version SET {column} = :value"  # noqa: S608  our own names
            await connection.execute(text(statement), {"value": value})
    await engine.dispose()


async def test_a_schema_that_a_newer_version_has_only_expanded_is_used(database_url: str) -> None:
    await set_schema(database_url, version_num="9999")
    database = await Database.open(database_url)
    await database.close()


async def test_a_schema_from_which_a_newer_version_took_something_away_is_refused(database_url: str) -> None:
    await set_schema(database_url, version_num="9999", oldest_program="9998")
    with pytest.raises(Unavailable, match="9999"):
        await Database.open(database_url)
    await set_schema(database_url, oldest_program=HEAD)
    await (await Database.open(database_url)).close()


async def test_a_newer_schema_of_which_nothing_is_noted_is_refused(database_url: str) -> None:
    engine = create_async_engine(async_url(database_url.partition("?")[0]))
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE alembic_version DROP COLUMN oldest_program"))
    await engine.dispose()
    await set_schema(database_url, version_num="9999")
    with pytest.raises(Unavailable, match="newer version"):
        await Database.open(database_url)
