"""The log of a service at work: JSON from the first line to the last, and every line says whose it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bessemer_lab.fleet import Chance, Fleet, Pace
from fakes.engine import eventually
from fakes.process_site import START_S, Site

OF_WORK = {"operation", "node", "request"}


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        yield Site(tmp_path, database_url, stack)


def lines(site: Site) -> list[dict[str, Any]]:
    """Each must be JSON: also what libraries tell while the service starts and ends."""
    return [json.loads(line) for line in site.log("serve").read_text().splitlines()]


async def test_all_that_is_told_while_an_operation_fails_names_it_its_node_and_its_request(
    site: Site, tmp_path: Path
) -> None:
    site.write(
        more="debug = true\nenabled_hardware_types = redfish\n"
        "[conductor]\nsync_power_state_interval = 0\nenable_health_monitoring = false\n"
        "[redfish]\nconnection_attempts = 1\n"
    )
    pace = Pace(answer_s=0.01, power_s=0.1, boot_s=0.2, command_s=0.1)
    async with Fleet(1, pace=pace, directory=tmp_path) as fleet:
        serve = await site.start("serve")
        await site.drivers_are_offered()
        info = fleet.driver_info(0)
        assert await site.post("/v1/nodes", {"driver": "redfish", "name": "n1", "driver_info": info}) == 201
        fleet.chance = Chance(error_share=1.0)
        assert await site.post("/v1/nodes/n1/states/provision", {"target": "manage"}, method="PUT") == 202

        async def has_failed() -> bool:
            return any(line["event"] == "operation ended" for line in lines(site))

        await eventually(has_failed, START_S)
        node = (await site.get("/v1/nodes/n1"))["uuid"]
        serve.terminate()
        assert await asyncio.wait_for(serve.wait(), START_S) == 0

    [asked] = [line for line in lines(site) if line["event"] == "request" and line["method"] == "PUT"]
    [ended] = [line for line in lines(site) if line["event"] == "operation ended"]
    about = [line for line in lines(site) if "operation" in line or line.get("node") == node]
    assert {line["event"] for line in about} >= {"operation asked for", "a step failed", "operation ended"}
    for line in about:
        assert line.keys() >= OF_WORK, line
        assert (line["operation"], line["node"]) == (ended["operation"], node), line
        assert line["request"] == asked["request"], line
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines(site))
