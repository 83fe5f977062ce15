"""Migrations come through while the release before works and a dump runs, and fail neither of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.kernel.error import Unavailable
from bessemer.store import migration
from bessemer.store.database import Database
from bessemer.store.migration import HEAD
from bessemer.store.migration.script import upgrade
from bessemer.store.table import NODES
from migration.test_duty_driver import _NODE, _required
from migration.test_schema import async_url, empty_database

BEFORE = "0009"
_IS_WAITING = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock')"


@pytest.fixture
def url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return empty_database("postgresql", tmp_path, request, f"at_work_{request.node.name[-40:]}")


async def make_old(url: str) -> None:
    engine = create_async_engine(async_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, BEFORE)
        await connection.execute(insert(NODES), {**_required(NODES), **_NODE})
    await engine.dispose()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=20)
    try:
        yield connection
    finally:
        await connection.close(timeout=20)


async def read_everything(connection: asyncpg.Connection) -> None:
    """As a dump does."""
    for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        await connection.execute(f"LOCK TABLE {row[0]} IN ACCESS SHARE MODE")


async def write_on(url: str, done: asyncio.Event, written: Counter[int], writer: int) -> None:
    """As the release before: the node first, then what belongs to it."""
    async with connected(url) as connection:
        while not done.is_set():
            async with connection.transaction():
                await connection.execute("UPDATE nodes SET extra = extra", timeout=30)
                await asyncio.sleep(0.02)
                await connection.execute("UPDATE node_duties SET failures = 0", timeout=30)
                await connection.execute("UPDATE operations SET state = state", timeout=30)
            written[writer] += 1


async def attempts_go_by(dump: asyncpg.Connection, count: int) -> None:
    """The migration waits for what the dump holds, and gives way to others, so many times."""
    for _ in range(count):
        for is_waiting in (True, False):
            while await dump.fetchval(_IS_WAITING) is not is_waiting:  # noqa: ASYNC110  rows have no event
                await asyncio.sleep(0.005)


async def test_a_migration_waits_for_a_dump_and_holds_up_nobody_meanwhile(url: str) -> None:
    await make_old(url)
    done, written = asyncio.Event(), Counter[int]()
    writers = [asyncio.create_task(write_on(url, done, written, number)) for number in range(3)]
    async with connected(url) as dump, asyncio.timeout(60):
        async with dump.transaction():
            await read_everything(dump)
            opening = asyncio.create_task(Database.open(url))
            await attempts_go_by(dump, 2)
            before = Counter(written)
            await attempts_go_by(dump, 2)
            assert not opening.done()
            assert all(written[writer] > before[writer] for writer in range(3))
        await (await opening).close()
        done.set()
        await asyncio.gather(*writers)
        assert await dump.fetchval("SELECT version_num FROM alembic_version") == HEAD


async def test_a_migration_gives_up_at_last(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "ATTEMPTS", 2)
    await make_old(url)
    async with connected(url) as dump, asyncio.timeout(60):
        async with dump.transaction():
            await read_everything(dump)
            with pytest.raises(Unavailable, match="lock timeout"):
                await Database.open(url)
        assert await dump.fetchval("SELECT version_num FROM alembic_version") == BEFORE
