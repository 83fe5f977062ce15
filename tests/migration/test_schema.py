"""The schema's history: migrating gives what the tables say, safely and only when needed."""

import asyncio
import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.kernel.error import InvalidValue, Unavailable
from bessemer.store.database import Database
from bessemer.store.migration import HEAD
from bessemer.store.migration.script import configuration
from bessemer.store.node import NodeFilter, list_node_rows
from bessemer.store.page import Page
from bessemer.store.table import METADATA
from fixture_database import PostgresqlServer


@pytest.fixture
def empty_url(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database that has no tables yet."""
    if family == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name = re.sub(r"\W", "_", request.node.name.lower())[:60]
    asyncio.run(server.command(f"CREATE DATABASE {name}"))
    return server.url(name)


def async_url(url: str) -> str:
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")


async def create_from_tables(url: str) -> None:
    engine = create_async_engine(async_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


def statements_of_sqlite(path: str) -> dict[str, list[str]]:
    """Each table and index by name: the parts of the statement that would make it, in any order."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {name: sorted(parts_of(sql)) for name, sql in rows if name != "alembic_version"}


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


def test_the_migrated_schema_is_that_of_the_tables_on_sqlite(tmp_path: Path) -> None:
    migrated, direct = tmp_path / "migrated.sqlite", tmp_path / "direct.sqlite"

    async def make_both() -> None:
        await (await Database.open(f"sqlite:///{migrated}")).close()
        await create_from_tables(f"sqlite:///{direct}")

    asyncio.run(make_both())
    expected = statements_of_sqlite(str(direct))
    assert "nodes" in expected
    assert "uq_operations_active" in expected
    assert statements_of_sqlite(str(migrated)) == expected


def test_the_migrated_schema_is_that_of_the_tables_on_postgresql(postgresql: PostgresqlServer) -> None:
    async def make_both() -> None:
        await postgresql.command("CREATE DATABASE migrated", "CREATE DATABASE direct")
        await (await Database.open(postgresql.url("migrated"))).close()
        await create_from_tables(postgresql.url("direct"))

    asyncio.run(make_both())
    dumps = [
        postgresql.run("pg_dump", "-s", "-T", "alembic_version", "-d", postgresql.url(name))
        for name in ("migrated", "direct")
    ]
    # Since 2025 a dump begins and ends with a random key.
    migrated, direct = (re.sub(r"\\(un)?restrict .*", "", dump) for dump in dumps)
    assert "CREATE TABLE public.nodes" in migrated
    assert migrated == direct


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


def test_opening_a_current_database_does_not_load_alembic(database_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from bessemer.store.database import Database\n"
        f"asyncio.run((lambda: Database.open({database_url!r}))())\n"
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
