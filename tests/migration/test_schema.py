"""The schema's history: migrating gives what the tables say, safely and only when needed."""

import asyncio
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.kernel.error import InvalidValue, Unavailable
from bessemer.store.database import Database
from bessemer.store.migration import HEAD, note_oldest_program
from bessemer.store.migration.creation import OLDEST_PROGRAM
from bessemer.store.migration.script import configuration, upgrade
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from bessemer.store.table import METADATA
from fixture_database import PostgresqlServer


@pytest.fixture
def empty_url(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database that has no tables yet."""
    name = re.sub(r"\W", "_", request.node.name.lower())[:60]
    return empty_database(family, tmp_path, request, name)


def empty_database(family: str, directory: Path, request: pytest.FixtureRequest, name: str) -> str:
    if family == "sqlite":
        return f"sqlite:///{directory / name}.sqlite"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    asyncio.run(server.command(f"CREATE DATABASE {name}"))
    return server.url(name)


def async_url(url: str) -> str:
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")


async def migrate_from_nothing(url: str) -> None:
    """Walk the whole history, as databases of all releases have come to the present schema."""

    def walk(connection: Connection) -> None:
        upgrade(connection)
        note_oldest_program(connection)

    engine = create_async_engine(async_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(walk)
    await engine.dispose()


async def make_both(new: str, migrated: str) -> None:
    """One database as new ones are made, and one by all migrations; by their URLs."""
    await (await Database.open(new)).close()
    await migrate_from_nothing(migrated)


def statements_of_sqlite(path: Path) -> dict[str, list[str]]:
    """Each table and index by name: the parts of the statement that would make it, in any order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: sorted(parts_of(sql)) for name, sql in rows}


def columns_of_sqlite(path: Path) -> dict[str, list[str]]:
    """The names of the columns of each table, in their order."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))]
            for (name,) in tables
        }


def parts_of(statement: str) -> list[str]:
    """``statement`` without line breaks, cut at the commas between columns and constraints. A column that was
    added later stands on the line of the one before."""
    head, _, body = statement.partition("(")
    parts, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if (character == "," and depth == 0) or depth < 0:
            parts.append("")
            depth = 0
        else:
            parts[-1] += character
    return [head.strip(), *(" ".join(part.split()) for part in parts)]


def test_a_new_database_has_the_schema_that_migrations_lead_to_on_sqlite(tmp_path: Path) -> None:
    new, migrated = tmp_path / "new.sqlite", tmp_path / "migrated.sqlite"
    asyncio.run(make_both(f"sqlite:///{new}", f"sqlite:///{migrated}"))
    expected = statements_of_sqlite(migrated)
    assert {"nodes", "uq_operations_active", "alembic_version"} <= expected.keys()
    assert statements_of_sqlite(new) == expected
    assert columns_of_sqlite(new) == columns_of_sqlite(migrated)


def test_a_new_database_has_the_schema_that_migrations_lead_to_on_postgresql(
    postgresql: PostgresqlServer,
) -> None:
    asyncio.run(postgresql.command("CREATE DATABASE new", "CREATE DATABASE migrated"))
    asyncio.run(make_both(postgresql.url("new"), postgresql.url("migrated")))
    dumps = [postgresql.run("pg_dump", "-s", "-d", postgresql.url(name)) for name in ("new", "migrated")]
    # Since 2025 a dump begins and ends with a random key.
    new, migrated = (re.sub(r"\\(un)?restrict .*", "", dump) for dump in dumps)
    assert "CREATE TABLE public.nodes" in migrated
    assert new == migrated


def test_a_new_database_says_of_itself_what_a_migrated_one_does(
    family: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    urls = [empty_database(family, tmp_path, request, name) for name in ("told_new", "told_migrated")]
    asyncio.run(make_both(*urls))
    assert asyncio.run(notes_of(urls[0])) == asyncio.run(notes_of(urls[1])) == [(HEAD, OLDEST_PROGRAM)]


async def notes_of(url: str) -> list[tuple[str, str]]:
    engine = create_async_engine(async_url(url))
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT version_num, oldest_program FROM alembic_version"))
    await engine.dispose()
    return [(row[0], row[1]) for row in rows]


async def test_alembic_finds_nothing_left_to_migrate(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    engine = create_async_engine(async_url(database_url.partition("?")[0]))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_the_newest_revision_is_the_one_databases_are_checked_for() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]


async def test_processes_that_start_together_on_an_empty_database_do_not_clash(empty_url: str) -> None:
    databases = await asyncio.gather(*(Database.open(empty_url) for _ in range(5)))
    for database in databases:
        async with database.read() as tx:
            assert await list_node_rows(tx, ["uuid"], NodeFilter(), Page(1)) == []
        await database.close()


def test_opening_a_new_database_and_a_current_one_does_not_load_alembic(empty_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from bessemer.store.database import Database\n"
        f"for _ in 'new', 'current': asyncio.run((lambda: Database.open({empty_url!r}))())\n"
        "assert 'sqlalchemy' in sys.modules\n"
        "assert 'alembic' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_failed_migration_leaves_nothing_behind(empty_url: str) -> None:
    engine = create_async_engine(async_url(empty_url))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE ports (id INTEGER)"))  # in the way of ours
    with pytest.raises(Unavailable, match="ports"):
        await Database.open(empty_url)
    async with engine.begin() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["ports"]
        await connection.execute(text("DROP TABLE ports"))
    await engine.dispose()
    await (await Database.open(empty_url)).close()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://root@localhost/bessemer", "sqlite://", "sqlite:///:memory:", "sqlite:///x?synchronous=perhaps"]
)  # fmt: skip
async def test_a_connection_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue):
        await Database.open(url)


async def test_a_database_that_cannot_be_reached_is_told_of_without_its_password(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/place.sqlite", "postgresql://u:sesame@127.0.0.1:1/x"):
        with pytest.raises(Unavailable) as caught:
            await Database.open(url)
        assert "sesame" not in str(caught.value)


def test_a_new_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    async def modes() -> set[int]:
        database = await Database.open(f"sqlite:///{tmp_path / 'new.sqlite'}")
        found = {stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
        await database.close()
        return found

    assert asyncio.run(modes()) == {0o600}
