"""Lookup and heartbeat, as agents call them."""

from typing import Any

import pytest
import structlog

from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.store.database import Database
from bessemer.store.operation import change_operation
from fakes.api_client import Reply
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock

S = ProvisionState
MAC = "aa:bb:cc:00:11:22"
URL = "https://192.0.2.7:9999"
TOKEN = "t" * 43
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


async def expecting(world: World, **internal: Any) -> str:
    """A node that expects an agent; its UUID."""
    node = await world.add_node()
    await world.add_port(node["uuid"], MAC)
    await world.put_node(node["uuid"], provision_state=S.DEPLOY_WAIT, driver_internal_info=internal)
    return str(node["uuid"])


async def beat(world: World, uuid: str, version: str = "1.68", **values: Any) -> Reply:
    body = {"callback_url": URL, "agent_version": "11.0", "agent_token": TOKEN, **values}
    body = {name: value for name, value in body.items() if value is not None}
    return await world.client.at(version).post(f"/v1/heartbeat/{uuid}", body)


async def test_a_node_is_found_by_mac_or_uuid(world: World) -> None:
    uuid = await expecting(world)
    for query in (
        f"addresses=nonsense,{MAC.upper()}",
        f"node_uuid={uuid}",
        f"addresses=ff:ff:ff:ff:ff:ff&node_uuid={uuid}",
    ):
        reply = await world.client.at("1.62").get(f"/v1/lookup?{query}")
        assert reply.status == 200, reply.body
        node = reply.json["node"]
        assert node["uuid"] == uuid
        assert node.keys() == {"uuid", "properties", "instance_info", "driver_internal_info", "links"}
    config = reply.json["config"]
    assert (config["heartbeat_timeout"], config["agent_token_required"]) == (300, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("addresses=x", 400), ("addresses=", 400), ("addresses=ff:ff:ff:ff:ff:ff", 404),
     ("node_uuid=x", 400), ("node_uuid=6ba7b810-9dad-41d1-80b4-00c04fd430c8", 404)],
)  # fmt: skip
async def test_a_lookup_that_leads_nowhere_is_refused(world: World, query: str, status: int) -> None:
    assert (await world.client.at("1.62").get(f"/v1/lookup?{query}")).status == status


async def test_addresses_of_two_nodes_lead_to_none(world: World) -> None:
    await expecting(world)
    other = await world.add_node()
    await world.add_port(other["uuid"], "aa:bb:cc:00:11:33")
    assert (await world.client.at("1.62").get(f"/v1/lookup?addresses={MAC},aa:bb:cc:00:11:33")).status == 404


async def test_only_nodes_that_expect_an_agent_are_found(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock)
    uuid = await expecting(world)
    await world.put_node(uuid, provision_state=S.ACTIVE)
    assert (await world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")).status == 404
    open_world = await make_world(database, clock, settings=quick_settings(api={"restrict_lookup": False}))
    assert (await open_world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")).status == 200


async def test_a_token_is_handed_out_once(world: World) -> None:
    uuid = await expecting(world)
    assert (
        "agent_token"
        not in (await world.client.at("1.61").get(f"/v1/lookup?node_uuid={uuid}")).json["config"]
    )
    first = (await world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")).json
    token = first["config"]["agent_token"]
    assert len(token) == 43
    assert first["node"]["driver_internal_info"]["agent_secret_token"] == "******"
    again = await world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")
    assert again.json["config"]["agent_token"] == "******"
    assert token.encode() not in again.body
    assert (await beat(world, uuid, agent_token=token)).status == 202


async def test_a_token_that_travelled_on_the_medium_is_never_handed_out(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN, agent_secret_token_pregenerated=True)
    reply = await world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")
    assert reply.json["config"]["agent_token"] == "******"
    assert TOKEN.encode() not in reply.body


async def test_a_heartbeat_is_remembered(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN, kept=1)
    assert (await beat(world, uuid, agent_verify_ca=CERTIFICATE)).status == 202
    facts = (await world.node(uuid)).driver_internal_info
    assert (facts["agent_url"], facts["agent_version"], facts["kept"]) == (URL, "11.0", 1)
    assert (facts["agent_verify_ca"], facts["agent_secret_token"]) == (CERTIFICATE, TOKEN)
    assert facts["agent_last_heartbeat"].startswith("2026-11-23T12:00")
    assert (await beat(world, uuid)).status == 202
    assert (await world.node(uuid)).driver_internal_info["agent_verify_ca"] == CERTIFICATE


async def test_a_heartbeat_wakes_the_operation_that_waits_for_it(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    await world.put_node(uuid, provision_state=S.AVAILABLE)
    await world.client.put(f"/v1/nodes/{uuid}/states/provision", {"target": "active"})
    (operation,) = await world.operations(uuid)
    async with world.database.write() as tx:
        await change_operation(
            tx, operation.uuid, operation.fence, state=OperationState.WAITING, wait_for="agent",
            wake_at="2999-01-01T00:00:00.000000+00:00",
        )  # fmt: skip
    assert (await beat(world, uuid)).status == 202
    (operation,) = await world.operations(uuid)
    assert operation.wake_at is not None
    assert operation.wake_at < "2999"


async def test_a_node_that_is_being_worked_on_takes_heartbeats(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    await world.put_node(uuid, reservation="conductor-1")
    assert (await beat(world, uuid)).status == 202


@pytest.mark.parametrize(
    "values",
    [
        {"agent_token": None}, {"agent_token": ""}, {"agent_token": "w" * 43}, {"agent_token": "ü" * 43},
        {"callback_url": "http://192.0.2.7:9999"}, {"callback_url": "ftp://x"}, {"callback_url": "https://"},
        {"callback_url": "https://[::1"}, {"callback_url": None}, {"agent_version": None},
        {"agent_verify_ca": "not a certificate"}, {"zork": 1},
    ],
)  # fmt: skip
async def test_a_heartbeat_that_is_not_right_changes_nothing(world: World, values: dict[str, Any]) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    assert (await beat(world, uuid, **values)).status == 400
    assert (await world.node(uuid)).driver_internal_info == {"agent_secret_token": TOKEN}


async def test_a_node_without_a_token_takes_no_heartbeat(world: World) -> None:
    uuid = await expecting(world)
    assert (await beat(world, uuid)).status == 400


async def test_the_address_of_an_agent_stays_while_it_lives(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    assert (await beat(world, uuid)).status == 202
    assert (await beat(world, uuid, callback_url="https://192.0.2.66:9999")).status == 400
    assert (await world.node(uuid)).driver_internal_info["agent_url"] == URL


async def test_plain_http_is_taken_where_the_operator_allows_it(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock, settings=quick_settings(agent={"require_tls": False}))
    uuid = await expecting(world, agent_secret_token=TOKEN)
    assert (await beat(world, uuid, callback_url="http://192.0.2.7:9999")).status == 202


@pytest.mark.parametrize(
    ("values", "version"),
    [
        ({}, "1.35"), ({}, "1.61"), ({"agent_verify_ca": CERTIFICATE}, "1.67"),
        ({"agent_status": "end"}, "1.71"), ({"agent_status": "zork"}, "1.72"),
    ],
)  # fmt: skip
async def test_what_an_older_agent_cannot_know_is_refused_with_400(
    world: World, values: dict[str, Any], version: str
) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    assert (await beat(world, uuid, version, **values)).status == 400


async def test_the_endpoints_can_be_closed_and_came_with_1_22(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock)
    uuid = await expecting(world, agent_secret_token=TOKEN)
    assert (await world.client.at("1.21").get(f"/v1/lookup?node_uuid={uuid}")).status == 404
    assert (await beat(world, uuid, "1.21")).status == 404
    assert (await beat(world, "6ba7b810-9dad-41d1-80b4-00c04fd430c8")).status == 404
    closed = await make_world(
        database, clock, settings=quick_settings(api={"enable_ramdisk_endpoints": False})
    )
    assert (await closed.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}")).status == 403
    assert (await beat(closed, uuid)).status == 403


async def test_tokens_and_keys_never_reach_the_log(world: World) -> None:
    uuid = await expecting(world, agent_secret_token=TOKEN)
    with structlog.testing.capture_logs() as lines:
        await beat(world, uuid)
        await beat(world, uuid, agent_token="w" * 43)
        await world.client.at("1.62").get(f"/v1/lookup?node_uuid={uuid}&addresses={MAC}")
        await world.client.get(f"/boot/{uuid}/kkkkkkkk/boot.iso")
    text = repr(lines)
    assert [line["path"] for line in lines if line["event"] == "request"][-1] == f"/boot/{uuid}/***"
    for secret in (TOKEN, "w" * 43, "kkkkkkkk", "addresses"):
        assert secret not in text
