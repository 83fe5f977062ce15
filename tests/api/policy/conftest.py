"""A furnished world on the default policy, over SQLite unless a test asks for every family."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bessemer.store.database import Database
from fakes.clock import FakeClock
from fakes.policy_world import PolicyWorld, furnish, policy_world


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def stage(database: Database, clock: FakeClock) -> AsyncIterator[PolicyWorld]:
    async with policy_world(database, clock) as stage:
        await furnish(stage)
        yield stage
