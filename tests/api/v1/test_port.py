"""Ports: register, show, list, change, delete."""

from typing import Any

import pytest

from bessemer.domain.provision import ProvisionState
from fakes.api_world import World

MAC = "aa:bb:cc:00:11:22"
UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


def op(kind: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


async def addresses(world: World, query: str, version: str = "1.115") -> list[str]:
    reply = await world.client.at(version).get(f"/v1/ports?{query}")
    assert reply.status == 200, reply.body
    return [port["address"] for port in reply.json["ports"]]


async def test_a_port_belongs_to_a_node_named_by_uuid_or_name(world: World) -> None:
    node = await world.add_node(name="n1")
    reply = await world.client.post("/v1/ports", {"node_uuid": node["uuid"], "address": MAC.upper()})
    assert reply.status == 201
    port = reply.json
    assert reply.headers["location"] == f"http://api.test/v1/ports/{port['uuid']}"
    assert (port["address"], port["node_uuid"], port["pxe_enabled"]) == (MAC, node["uuid"], True)
    assert "node_ident" not in port
    named = await world.client.post("/v1/ports", {"node_ident": "n1", "address": "aa:bb:cc:00:11:33"})
    assert named.json["node_uuid"] == node["uuid"]
    assert (
        await world.client.at("1.93").post("/v1/ports", {"node_ident": "n1", "address": MAC})
    ).status == 406


@pytest.mark.parametrize(
    "values",
    [
        {"address": MAC},
        {"node_uuid": UUID, "address": MAC},
        {"node_ident": "none", "address": MAC},
        {"node_ident": "n1", "node_uuid": UUID, "address": MAC},
        {"node_ident": "n1"},
        {"node_ident": "n1", "address": "aa-bb-cc-00-11-22"},
        {"node_ident": "n1", "address": MAC, "physical_network": ""},
        {"node_ident": "n1", "address": MAC, "portgroup_uuid": UUID},
        {"node_ident": "n1", "address": MAC, "is_smartnic": True},
        {"node_ident": "n1", "address": MAC, "local_link_connection": {"zork": 1}},
        {"node_ident": "n1", "address": MAC, "internal_info": {}},
        {"node_ident": "n1", "address": MAC, "vendor": "v" * 33},
    ],
)
async def test_a_port_that_cannot_be_right_is_refused(world: World, values: dict[str, Any]) -> None:
    await world.add_node(name="n1")
    assert (await world.client.post("/v1/ports", values)).status == 400


async def test_addresses_and_names_are_taken_once(world: World) -> None:
    node = await world.add_node()
    await world.add_port(node["uuid"], MAC, name="eth0")
    for values in ({"address": MAC}, {"address": "aa:bb:cc:00:11:33", "name": "eth0"}):
        reply = await world.client.post("/v1/ports", {"node_uuid": node["uuid"], **values})
        assert reply.status == 409


async def test_ports_are_addressed_by_name_from_1_88_but_never_deleted_by_it(world: World) -> None:
    node = await world.add_node()
    port = await world.add_port(node["uuid"], MAC, name="eth0")
    assert (await world.client.get("/v1/ports/eth0")).json["uuid"] == port["uuid"]
    assert (await world.client.at("1.87").get("/v1/ports/eth0")).status == 404
    assert (await world.client.delete("/v1/ports/eth0")).status == 400
    assert (await world.client.delete(f"/v1/ports/{port['uuid']}")).status == 204
    assert (await world.client.delete(f"/v1/ports/{port['uuid']}")).status == 404


async def test_lists_of_ports_are_filtered(world: World) -> None:
    first = await world.add_node(name="a", shard="s1", owner="me")
    second = await world.add_node(name="b", conductor_group="")
    await world.add_port(first["uuid"], MAC, description="Left card")
    await world.add_port(second["uuid"], "aa:bb:cc:00:11:33")
    for query in (
        f"node={first['uuid']}", "node=a", f"node_uuid={first['uuid']}", f"address={MAC.upper()}", "shard=s1",
        "description_contains=left",
    ):  # fmt: skip
        assert await addresses(world, query) == [MAC], query
    assert await addresses(world, "address=aa:bb:cc:00:11:99") == []
    assert len(await addresses(world, "conductor_groups=,")) == 0
    assert len(await addresses(world, "")) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("node=none", 404), ("address=x", 400), ("node=a&shard=s1", 403), ("portgroup=pg&shard=s1", 403),
        ("portgroup=pg", 404), ("conductor_groups=x&address=aa:bb:cc:00:11:22", 400), ("zork=1", 400),
    ],
)  # fmt: skip
async def test_filters_that_make_no_sense_are_refused(world: World, query: str, status: int) -> None:
    await world.add_node(name="a")
    assert (await world.client.get(f"/v1/ports?{query}")).status == status


async def test_ports_are_listed_below_their_node_and_only_listed(world: World) -> None:
    node = await world.add_node(name="n1")
    await world.add_node(name="n2")
    port = await world.add_port(node["uuid"], MAC)
    for ident in (node["uuid"], "n1"):
        assert len((await world.client.get(f"/v1/nodes/{ident}/ports")).json["ports"]) == 1
        detail = (await world.client.get(f"/v1/nodes/{ident}/ports/detail")).json["ports"]
        assert detail[0]["node_uuid"] == node["uuid"]
    assert (await world.client.get("/v1/nodes/n2/ports")).json == {"ports": []}
    assert (await world.client.get("/v1/nodes/none/ports")).status == 404
    for method, path in (("POST", ""), ("GET", f"/{port['uuid']}"), ("DELETE", f"/{port['uuid']}")):
        assert (await world.client.call(method, f"/v1/nodes/n1/ports{path}", {})).status == 400


async def test_a_port_is_changed_and_moved(world: World) -> None:
    node, other = await world.add_node(), await world.add_node(name="other")
    port = await world.add_port(node["uuid"], MAC)
    path = f"/v1/ports/{port['uuid']}"
    found = (
        await world.client.patch(path, [op("add", "/extra/a", 1), op("replace", "/pxe_enabled", False)])
    ).json
    assert (found["extra"], found["pxe_enabled"]) == ({"a": 1}, False)
    assert (await world.client.patch(path, [op("add", "/node_ident", "other")])).json["node_uuid"] == other[
        "uuid"
    ]
    assert (await world.client.patch(path, [op("replace", "/node_uuid", UUID)])).status == 400
    assert (await world.client.patch(path, [op("remove", "/address")])).status == 400
    assert (await world.client.patch("/v1/ports/" + UUID, [op("add", "/extra/a", 1)])).status == 404


async def test_a_port_does_not_move_to_another_owner(world: World) -> None:
    node, foreign = await world.add_node(), await world.add_node(owner="you")
    port = await world.add_port(node["uuid"], MAC)
    reply = await world.client.patch(f"/v1/ports/{port['uuid']}", [op("add", "/node_uuid", foreign["uuid"])])
    assert (reply.status, "owner" in reply.message) == (400, True)


async def test_connectivity_stays_while_the_node_is_in_use(world: World) -> None:
    node = await world.add_node()
    port = await world.add_port(node["uuid"], MAC)
    path, change = f"/v1/ports/{port['uuid']}", [op("replace", "/pxe_enabled", False)]
    await world.put_node(node["uuid"], provision_state=ProvisionState.ACTIVE)
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.patch(path, [op("replace", "/address", "aa:bb:cc:00:11:99")])).status == 409
    assert (await world.client.patch(path, [op("add", "/extra/a", 1)])).status == 200
    await world.put_node(node["uuid"], maintenance=True)
    assert (await world.client.patch(path, change)).status == 200
    await world.put_node(node["uuid"], reservation="conductor-9")
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.delete(path)).status == 409


async def test_older_forms_of_a_link_have_their_versions(world: World) -> None:
    node = await world.add_node()
    link = {"network_type": "unmanaged"}
    body = {"node_uuid": node["uuid"], "address": MAC, "local_link_connection": link}
    assert (await world.client.at("1.63").post("/v1/ports", body)).status == 406
    assert (await world.client.at("1.64").post("/v1/ports", body)).status == 201
    vtep = {"port_id": "p", "vtep-logical-switch": "l", "vtep-physical-switch": "s"}
    body = {"node_uuid": node["uuid"], "address": "aa:bb:cc:00:11:33", "local_link_connection": vtep}
    for version, status in (("1.89", 406), ("1.105", 406), ("1.104", 201)):
        assert (await world.client.at(version).post("/v1/ports", body)).status == status
