"""A PostgreSQL that says nothing any more on connections there are: they are given up, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Executable, literal, make_url, select

from bessemer.kernel.clock import SteadyClock
from bessemer.kernel.error import DatabaseLost
from bessemer.store import connect, shared_clock
from bessemer.store.database import Database
from bessemer.store.shared_clock import follow_clock
from bessemer.store.statement import Statement
from fakes.tcp_proxy import TcpProxy, tcp_proxy
from fakes.wait import until
from fixture_database import PostgresqlServer

ONE = select(literal(1))


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "STATEMENT_S", 3.0)
    monkeypatch.setattr(shared_clock, "PAUSE_S", 0.05)


@asynccontextmanager
async def through_proxy(url: str, port: int) -> AsyncIterator[tuple[Database, TcpProxy]]:
    async with tcp_proxy(port) as proxy:
        there = make_url(url).set(port=proxy.port).render_as_string(hide_password=False)
        database = await Database.open(there, clock=SteadyClock())
        try:
            yield database, proxy
        finally:
            await database.close()


@pytest.mark.parametrize("is_writing", [False, True], ids=["reading", "writing"])
@pytest.mark.parametrize("statement", [ONE, Statement(ONE)], ids=["plain", "fixed"])
async def test_a_statement_without_an_answer_says_that_the_database_is_lost(
    postgresql: PostgresqlServer,
    postgresql_template: str,
    statement: Statement | Executable,
    is_writing: bool,
) -> None:
    async def look() -> None:
        async with database.write() if is_writing else database.read() as tx:
            await tx.execute(statement)

    async with through_proxy(postgresql.url(postgresql_template), postgresql.port) as (database, proxy):
        await look()
        proxy.forget()
        with pytest.raises(DatabaseLost):
            await look()
        await look()


async def test_the_clock_is_followed_on(postgresql: PostgresqlServer, postgresql_template: str) -> None:
    async with through_proxy(postgresql.url(postgresql_template), postgresql.port) as (database, proxy):
        following = asyncio.create_task(follow_clock(database))
        pool = database.pools["both"]
        await until(lambda: pool.usage[1] == 1)
        proxy.forget()
        await until(lambda: pool.usage[0] == 1)
        await until(lambda: pool.usage[0] == 0)
        assert not following.done()
        following.cancel()
        await asyncio.wait((following,))
