"""Whatever is sent to whatever route, the answer is no defect of ours, and tells no secret.

``make fuzz`` does the same for hours (``fuzz.py``); here are as many cases as a test may take.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.canary import WATCH
from property.api.hostile_check import check, send
from property.api.hostile_request import requests
from property.api.hostile_world import HostileWorld, addresses, hostile_world


@pytest_asyncio.fixture
async def world(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[HostileWorld]:
    """Looks for the secrets that were planted. The canary would also take words for secrets that a request
    gave as one and that are elsewhere the name of a node."""
    with WATCH.paused():
        async with hostile_world(tmp_path, sqlite_template) as made:
            yield made


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_no_request_brings_a_defect_to_light(world: HostileWorld, data: st.DataObject) -> None:
    request = data.draw(requests(addresses(world.live)))
    check(request, await send(world.live.process.app, request), world.secrets)
    world.live.check_alive()
