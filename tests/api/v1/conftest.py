"""The whole API over a real database; where databases differ is for the store's contract suite to tell."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.api_world import World, answering, make_world
from fakes.clock import FakeClock


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def world(database: Database, clock: FakeClock) -> AsyncIterator[World]:
    world = await make_world(database, clock)
    async with answering(world):
        yield world


@pytest.fixture
def client(world: World) -> ApiClient:
    return world.client
