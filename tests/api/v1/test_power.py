"""Power requests."""

from typing import Any

import pytest

from bessemer.domain.provision import ProvisionState
from fakes.api_client import Reply
from fakes.api_world import World

S = ProvisionState


async def ask(world: World, node: dict[str, Any], body: Any, version: str = "1.115") -> Reply:
    return await world.client.at(version).put(f"/v1/nodes/{node['uuid']}/states/power", body)


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("power on", "power on"), ("power off", "power off"), ("rebooting", "power on"),
        ("soft power off", "power off"), ("soft rebooting", "power on"),
    ],
)  # fmt: skip
async def test_a_request_starts_an_operation_and_says_where_the_node_is_heading(
    world: World, target: str, result: str
) -> None:
    node = await world.add_node()
    reply = await ask(world, node, {"target": target, "timeout": 30})
    assert (reply.status, reply.body) == (202, b"")
    assert reply.headers["location"].endswith(f"/v1/nodes/{node['uuid']}/states")
    (operation,) = await world.operations(node["uuid"])
    assert (operation.kind, operation.args) == ("power", {"target": target, "timeout": 30})
    states = (await world.client.get(f"/v1/nodes/{node['uuid']}/states")).json
    assert states["target_power_state"] == result


@pytest.mark.parametrize(
    ("body", "version", "status"),
    [
        ({"target": "zork"}, "1.115", 400), ({}, "1.115", 400), (None, "1.115", 400),
        ({"target": "power on", "timeout": 0}, "1.115", 400),
        ({"target": "power on", "timeout": "soon"}, "1.115", 400),
        ({"target": "power on", "timeout": 5}, "1.26", 406),
        ({"target": "soft rebooting"}, "1.26", 406), ({"target": "soft power off"}, "1.26", 406),
        ({"target": "power on"}, "1.1", 202), ({"target": "power on", "timeout": None}, "1.27", 202),
    ],
)  # fmt: skip
async def test_requests_are_checked(world: World, body: Any, version: str, status: int) -> None:
    node = await world.add_node()
    assert (await ask(world, node, body, version)).status == status


@pytest.mark.parametrize("state", [S.CLEANING, S.CLEAN_WAIT])
async def test_a_node_that_is_cleaned_is_left_alone(world: World, state: S) -> None:
    node = await world.add_node()
    await world.put_node(node["uuid"], provision_state=state)
    assert (await ask(world, node, {"target": "power off"})).status == 400


async def test_a_node_that_must_stay_on_is_not_switched_off(world: World) -> None:
    node = await world.add_node(disable_power_off=True)
    for target, status in (("power off", 409), ("soft power off", 409), ("rebooting", 202)):
        assert (await ask(world, node, {"target": target})).status == status


async def test_power_changes_in_maintenance_too(world: World) -> None:
    node = await world.add_node(maintenance=True)
    assert (await ask(world, node, {"target": "power on"})).status == 202


async def test_an_unfinished_operation_comes_first(world: World) -> None:
    node = await world.add_node()
    assert (await ask(world, node, {"target": "power on"})).status == 202
    reply = await ask(world, node, {"target": "power off"})
    assert (reply.status, "power" in reply.message) == (409, True)


async def test_settings_that_cannot_work_are_refused(world: World) -> None:
    node = await world.add_node(driver="redfish", boot_interface="redfish-virtual-media")
    assert (await ask(world, node, {"target": "power on"})).status == 400
