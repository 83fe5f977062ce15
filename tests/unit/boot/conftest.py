from collections.abc import AsyncIterator

import aiohttp
import pytest

from bessemer.transfer.web import Web
from fakes.http_server import ImageServer, image_server


@pytest.fixture
async def server() -> AsyncIterator[ImageServer]:
    async with image_server() as running:
        yield running


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with aiohttp.ClientSession() as session:
        yield Web(session, answer_timeout_s=30.0, stall_timeout_s=30.0)
