"""Requests for machines that no conductor drives: refused when others could be told, else kept for later."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bessemer.kernel.ident import new_uuid
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock

NODE = {"driver": "fake-hardware", "name": "n1"}
VERIFY = {"target": "manage"}


@dataclass
class Site:
    world: World
    clock: FakeClock

    async def starts(self, host: str, *drivers: str, group: str = "") -> None:
        """A conductor with these hardware types and no others."""
        found = [one for one in self.world.composition.registrations() if one.hardware_type in drivers]
        async with self.world.database.write() as tx:
            await register_conductor(tx, host, new_uuid(), group, found)
        self.clock.advance(2)


@pytest_asyncio.fixture
async def site(database: Database, clock: FakeClock) -> AsyncIterator[Site]:
    """An API that knows both types, and a node; no conductor yet."""
    world = await make_world(database, clock, settings=quick_settings(), groups={})
    await world.add_node(**NODE)
    yield Site(world, clock)


@pytest.fixture
def family() -> str:
    return "sqlite"


REQUESTS: list[tuple[str, str, Any]] = [
    ("PUT", "/states/provision", VERIFY),
    ("PUT", "/states/power", {"target": "power on"}),
    ("PUT", "/states/boot_mode", {"target": "uefi"}),
    ("PUT", "/states/console", {"enabled": True}),
    ("PUT", "/management/boot_device", {"boot_device": "pxe"}),
    ("GET", "/management/boot_device", None),
    ("POST", "/vendor_passthru?method=first_method", {"bar": "b"}),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_hardware_that_no_live_conductor_drives_is_refused(
    site: Site, method: str, path: str, body: Any
) -> None:
    await site.starts("a", "redfish")
    reply = await site.world.client.call(method, f"/v1/nodes/n1{path}", body)
    assert reply.status == 400, reply.body
    assert (
        "No live conductor without a conductor group has the hardware type 'fake-hardware'" in reply.message
    )
    node = (await site.world.client.get("/v1/nodes/n1")).json
    assert (node["provision_state"], node["conductor"]) == ("enroll", None)
    assert await site.world.operations(node["uuid"]) == []


async def test_the_conductor_shown_is_one_that_drives_the_node(site: Site) -> None:
    await site.starts("a", "redfish")
    await site.starts("b", "fake-hardware")
    client = site.world.client
    assert (await client.get("/v1/nodes/n1")).json["conductor"] == "b"
    shown = {host: (await client.get(f"/v1/conductors/{host}")).json["drivers"] for host in ("a", "b")}
    assert shown == {"a": ["redfish"], "b": ["fake-hardware"]}
    assert (await client.put("/v1/nodes/n1/states/provision", VERIFY)).status == 202


async def test_a_conductor_of_another_group_does_not_count(site: Site) -> None:
    await site.starts("a", "redfish")
    await site.starts("b", "fake-hardware", group="rack")
    assert (await site.world.client.put("/v1/nodes/n1/states/provision", VERIFY)).status == 400


async def test_while_no_conductor_lives_work_waits_and_questions_are_told_to_come_back(site: Site) -> None:
    client = site.world.client
    assert (await client.get("/v1/nodes/n1/management/boot_device")).status == 503
    assert (await client.put("/v1/nodes/n1/states/provision", VERIFY)).status == 202
