"""BMCs on loopback for the tests of this folder, and a pool that does not wait between tries."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.pool import BmcPool
from fakes.lab_bmc import RunningBmc, lab_bmc
from fakes.loop import sockets_closed
from fakes.scripted_bmc import ScriptedBmc, scripted_bmc


@pytest_asyncio.fixture(autouse=True)
async def quiet_loop() -> AsyncIterator[None]:
    """Set up before everything else, and therefore the last to go."""
    yield
    await sockets_closed()


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[BmcPool]:
    pool = BmcPool(RedfishSettings(request_timeout=10, connection_retry_interval=0, connection_attempts=3))
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[RunningBmc]:
    async with lab_bmc(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedBmc]:
    async with scripted_bmc(tmp_path) as bmc:
        yield bmc
