"""Two releases at work on one database: during a rolling upgrade nothing stops, and nothing is done twice."""

import asyncio
import signal
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from bessemer.store.migration import HEAD
from engine.chaos.cluster import Cluster, cluster
from engine.chaos.operator import Operator
from engine.chaos.verdict import findings, until_quiet
from engine.process.previous_release import install_previous_release

PACE = {"answer": 0.01, "power": 0.1, "boot": 0.5, "command": 0.5}
LIMIT_S = 600.0
#: Programs of older schemas cannot be started any more once the schema is newer.
KNOWS_NEWER_SCHEMAS = "0008"


async def revision(site: Cluster) -> str:
    connection = await asyncpg.connect(site.url, timeout=20)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return install_previous_release(tmp_path_factory.mktemp("previous"))


async def test_the_release_before_and_this_one_deploy_side_by_side(
    previous: tuple[Path, str], tmp_path: Path
) -> None:
    programs, before = previous
    async with (
        cluster(tmp_path, 12, pace=PACE) as site,
        aiohttp.ClientSession() as session,
        asyncio.timeout(LIMIT_S),
    ):
        await site.start("a1", "c1", programs=programs)
        assert await revision(site) == before
        operator = Operator(site, session)
        await operator.enrol(12)
        # The old release begins; the new one comes in the middle of it, and changes the schema.
        first = asyncio.create_task(operator.deploy(operator.nodes[:6]))
        await site.start("c2", "a2")
        assert await revision(site) == HEAD
        await first
        # Both take requests and work; then the old conductor is lost with what it holds.
        second = asyncio.create_task(operator.deploy(operator.nodes[6:10]))
        async with asyncio.timeout(LIMIT_S):
            while (await site.ask_fleet())["writes"] < 7:  # noqa: ASYNC110  the fleet is another process
                await asyncio.sleep(0.1)
        await site.programs["c1"].end(signal.SIGKILL)
        await second
        del site.programs["c1"]
        assert await until_quiet(site) == []
        assert operator.failures == []
        assert await findings(site, operator, operator.nodes[:10]) == []


async def test_the_release_before_deploys_alone_on_the_new_schema(
    previous: tuple[Path, str], tmp_path: Path
) -> None:
    programs, before = previous
    async with (
        cluster(tmp_path, 3, pace=PACE) as site,
        aiohttp.ClientSession() as session,
        asyncio.timeout(LIMIT_S),
    ):
        await site.start("a1", "c1", programs=programs)
        await site.start("c2")
        # The upgrade is put off: the new conductor goes again, the schema stays.
        await site.programs.pop("c2").end(signal.SIGTERM)
        assert await revision(site) == HEAD
        operator = Operator(site, session)
        await operator.enrol(3)
        if before >= KNOWS_NEWER_SCHEMAS:
            await site.programs["c1"].end(signal.SIGTERM)
            await site.start("c1", programs=programs)
        await operator.deploy(operator.nodes)
        assert await until_quiet(site) == []
        assert operator.failures == []
        assert await findings(site, operator, operator.nodes) == []
