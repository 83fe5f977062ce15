"""Shards, children of nodes, and events of the network service."""

from typing import Any

import pytest

from fakes.api_client import ApiClient
from fakes.api_world import World

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
EVENT = {
    "event": "network.bind_port",
    "port_id": UUID,
    "mac_address": "aa:bb:cc:00:11:22",
    "status": "ACTIVE",
    "device_id": None,
    "binding:host_id": UUID,
    "binding:vnic_type": "baremetal",
}


async def test_shards_are_counted(world: World) -> None:
    assert (await world.client.get("/v1/shards")).json == {"shards": []}
    for shard in ("b", "a", "b", None):
        await world.add_node(shard=shard)
    counts = (await world.client.get("/v1/shards")).json["shards"]
    assert counts == [{"name": "b", "count": 2}, {"name": "None", "count": 1}, {"name": "a", "count": 1}]
    assert (await world.client.get("/v1/shards/a")).status == 404


async def test_children_are_named_by_uuid(world: World) -> None:
    parent = await world.add_node(name="chassis-1")
    path = f"/v1/nodes/{parent['uuid']}/children"
    address = f"http://api.test/v1/nodes?parent_node={parent['uuid']}"
    empty = (await world.client.get(path)).json
    assert empty == {"children": [], "links": {"href": address, "rel": "children"}}
    children = [(await world.add_node(parent_node=parent["uuid"]))["uuid"] for _ in range(2)]
    await world.add_node()
    for ident in ("chassis-1", parent["uuid"]):
        assert (await world.client.get(f"/v1/nodes/{ident}/children")).json["children"] == children
    assert (await world.client.get("/v1/nodes/none/children")).status == 404


async def test_events_are_accepted(client: ApiClient) -> None:
    short = {name: EVENT[name] for name in ("event", "port_id", "mac_address", "status")}
    reply = await client.post("/v1/events", {"events": [EVENT, {**short, "event": "network.delete_port"}]})
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "network.zork"}, {"event": None}, {"port_id": "x"}, {"mac_address": "x"}, {"status": 1},
        {"device_id": "x"}, {"binding:host_id": "x"}, {"binding:vnic_type": 1}, {"zork": 1},
    ],
)  # fmt: skip
async def test_an_event_that_cannot_be_right_is_refused(client: ApiClient, wrong: dict[str, Any]) -> None:
    assert (await client.post("/v1/events", {"events": [EVENT, {**EVENT, **wrong}]})).status == 400


@pytest.mark.parametrize(
    "body", [None, {}, [], {"events": []}, {"events": {}}, {"events": [1]}, {"events": [{}]}]
)
async def test_events_come_as_a_list_of_objects(client: ApiClient, body: Any) -> None:
    assert (await client.post("/v1/events", body)).status == 400
