"""Port groups: make, show, list, change, delete; and the ports in them."""

from typing import Any

import pytest

from bessemer.domain.provision import ProvisionState
from fakes.api_world import World

MAC = "aa:bb:cc:00:11:22"
UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


def op(kind: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


async def add_group(world: World, node_uuid: str, **values: Any) -> dict[str, Any]:
    reply = await world.client.post("/v1/portgroups", {"node_uuid": node_uuid, **values})
    assert reply.status == 201, reply.body
    document: dict[str, Any] = reply.json
    return document


async def names(world: World, path: str) -> list[str]:
    reply = await world.client.get(path)
    assert reply.status == 200, reply.body
    return [group["name"] for group in reply.json["portgroups"]]


async def test_a_port_group_lives_and_dies(world: World) -> None:
    node = await world.add_node()
    body = {"node_uuid": node["uuid"], "name": "bond0", "address": MAC.upper(), "properties": {"miimon": 100}}
    made = await world.client.post("/v1/portgroups", body)
    assert (made.status, made.json["address"], made.json["mode"]) == (201, MAC, "active-backup")
    address = f"http://api.test/v1/portgroups/{made.json['uuid']}"
    assert made.headers["location"] == address
    assert made.json["ports"][0]["href"] == f"{address}/ports"
    assert (made.json["standalone_ports_supported"], made.json["dynamic_portgroup"]) == (True, False)
    for ident in ("bond0", made.json["uuid"]):
        assert (await world.client.get(f"/v1/portgroups/{ident}")).json["uuid"] == made.json["uuid"]
    listed = (await world.client.get("/v1/portgroups")).json["portgroups"][0]
    assert listed.keys() == {"uuid", "name", "address", "links"}
    assert "mode" in (await world.client.get("/v1/portgroups/detail")).json["portgroups"][0]
    changes = [op("replace", "/mode", "802.3ad"), op("add", "/extra/a", 1), op("remove", "/address")]
    changed = (await world.client.patch("/v1/portgroups/bond0", changes)).json
    assert (changed["mode"], changed["extra"], changed["address"]) == ("802.3ad", {"a": 1}, None)
    assert (await world.client.delete("/v1/portgroups/bond0")).status == 204
    assert (await world.client.get("/v1/portgroups/bond0")).status == 404
    assert (await world.client.delete("/v1/portgroups/bond0")).status == 404


@pytest.mark.parametrize(
    "values",
    [
        {"node_uuid": None},
        {"node_uuid": UUID},
        {"name": UUID},
        {"name": "a/b"},
        {"address": "x"},
        {"physical_network": ""},
        {"mode": ""},
        {"category": "c" * 81},
        {"dynamic_portgroup": True},
        {"internal_info": {}},
        {"zork": 1},
    ],
)
async def test_a_port_group_that_cannot_be_right_is_refused(world: World, values: dict[str, Any]) -> None:
    node = await world.add_node()
    reply = await world.client.post("/v1/portgroups", {"node_uuid": node["uuid"], **values})
    assert reply.status == 400, reply.body


async def test_a_uuid_name_and_address_are_taken_once(world: World) -> None:
    node = await world.add_node()
    group = await add_group(world, node["uuid"], name="bond0", address=MAC)
    for taken in ({"uuid": group["uuid"]}, {"name": "bond0"}, {"address": MAC}):
        reply = await world.client.post("/v1/portgroups", {"node_uuid": node["uuid"], **taken})
        assert reply.status == 409
    await add_group(world, node["uuid"], name="bond1")
    reply = await world.client.patch("/v1/portgroups/bond1", [op("add", "/name", "bond0")])
    assert reply.status == 409


async def test_lists_of_port_groups_are_filtered(world: World) -> None:
    first = await world.add_node(name="a", shard="s1")
    await world.put_node(first["uuid"], conductor_group="g")
    second = await world.add_node(name="b")
    await add_group(world, first["uuid"], name="one", address=MAC)
    await add_group(world, second["uuid"], name="two")
    for query in (
        "node=a",
        f"node={first['uuid']}",
        f"address={MAC.upper()}",
        "shard=s1",
        "conductor_groups=G",
    ):
        assert await names(world, f"/v1/portgroups?{query}") == ["one"], query
    assert await names(world, "/v1/portgroups?sort_key=name&sort_dir=desc") == ["two", "one"]
    for ident in ("b", second["uuid"]):
        assert await names(world, f"/v1/nodes/{ident}/portgroups") == ["two"]
        assert await names(world, f"/v1/nodes/{ident}/portgroups/detail") == ["two"]
    for query, status in (
        ("node=none", 404), ("node=a&shard=s1", 403), ("address=x", 400), ("conductor_groups=g&node=a", 400),
        ("sort_key=extra", 400), (f"marker={UUID}", 404), ("fields=zork", 400), ("zork=1", 400),
    ):  # fmt: skip
        assert (await world.client.get(f"/v1/portgroups?{query}")).status == status, query
    assert (await world.client.get("/v1/nodes/none/portgroups")).status == 404


async def test_port_groups_come_in_pages(world: World) -> None:
    node = await world.add_node()
    for number in range(3):
        await add_group(world, node["uuid"], name=f"bond{number}")
    first = (await world.client.get("/v1/portgroups?limit=2&fields=name,uuid")).json
    assert [group["name"] for group in first["portgroups"]] == ["bond0", "bond1"]
    rest = (await world.client.get(first["next"])).json
    assert ([group["name"] for group in rest["portgroups"]], "next" in rest) == (["bond2"], False)


async def test_ports_join_a_group_of_their_node_and_are_listed_in_it(world: World) -> None:
    node, other = await world.add_node(), await world.add_node()
    group = await add_group(world, node["uuid"], name="bond0")
    foreign = await add_group(world, other["uuid"], name="bond9")
    port = await world.add_port(node["uuid"], MAC, portgroup_uuid=group["uuid"])
    assert port["portgroup_uuid"] == group["uuid"]
    await world.add_port(node["uuid"], "aa:bb:cc:00:11:33")
    for path in (
        "portgroups/bond0/ports",
        f"portgroups/{group['uuid']}/ports/detail",
        "ports?portgroup=bond0",
    ):
        found = (await world.client.get(f"/v1/{path}")).json["ports"]
        assert [one["address"] for one in found] == [MAC], path
    assert (await world.client.get("/v1/portgroups/none/ports")).status == 404
    assert (await world.client.get("/v1/ports?portgroup=none")).status == 404
    for method, path in (("POST", ""), ("GET", f"/{port['uuid']}"), ("DELETE", f"/{port['uuid']}")):
        assert (await world.client.call(method, f"/v1/portgroups/bond0/ports{path}", {})).status == 400
    for wrong in (foreign["uuid"], UUID):
        reply = await world.client.patch(f"/v1/ports/{port['uuid']}", [op("add", "/portgroup_uuid", wrong)])
        assert reply.status == 400
        body = {"node_uuid": node["uuid"], "address": "aa:bb:cc:00:11:44", "portgroup_uuid": wrong}
        assert (await world.client.post("/v1/ports", body)).status == 400
    moved = await world.client.patch(f"/v1/ports/{port['uuid']}", [op("add", "/node_uuid", other["uuid"])])
    assert moved.status == 400


async def test_a_group_with_ports_stays_where_it_is(world: World) -> None:
    node, other = await world.add_node(), await world.add_node()
    group = await add_group(world, node["uuid"])
    port = await world.add_port(node["uuid"], MAC, portgroup_uuid=group["uuid"])
    path, move = f"/v1/portgroups/{group['uuid']}", [op("replace", "/node_uuid", other["uuid"])]
    assert (await world.client.patch(path, move)).status == 400
    assert (await world.client.delete(path)).status == 400
    left = await world.client.patch(f"/v1/ports/{port['uuid']}", [op("remove", "/portgroup_uuid")])
    assert left.json["portgroup_uuid"] is None
    assert (await world.client.patch(path, move)).json["node_uuid"] == other["uuid"]
    assert (await world.client.delete(path)).status == 204


async def test_ports_follow_their_group_to_another_physical_network(world: World) -> None:
    node = await world.add_node()
    group = await add_group(world, node["uuid"], physical_network="net1")
    member = {"portgroup_uuid": group["uuid"], "physical_network": "net1"}
    port = await world.add_port(node["uuid"], MAC, **member)
    other = {"node_uuid": node["uuid"], "address": "aa:bb:cc:00:11:33", **member, "physical_network": "net2"}
    assert (await world.client.post("/v1/ports", other)).status == 409
    path, change = f"/v1/ports/{port['uuid']}", [op("replace", "/physical_network", "net2")]
    assert (await world.client.patch(path, change)).status == 400
    assert (await world.client.patch(f"/v1/portgroups/{group['uuid']}", change)).status == 200
    assert (await world.client.get(path)).json["physical_network"] == "net2"


async def test_members_of_a_group_without_standalone_ports_do_not_boot(world: World) -> None:
    node = await world.add_node()
    group = await add_group(world, node["uuid"], standalone_ports_supported=False)
    member = {"node_uuid": node["uuid"], "address": MAC, "portgroup_uuid": group["uuid"]}
    assert (await world.client.post("/v1/ports", member)).status == 400
    made = await world.client.post("/v1/ports", {**member, "pxe_enabled": False})
    assert made.status == 201
    change = [op("replace", "/pxe_enabled", True)]
    assert (await world.client.patch(f"/v1/ports/{made.json['uuid']}", change)).status == 409
    path, flag = f"/v1/portgroups/{group['uuid']}", "/standalone_ports_supported"
    assert (await world.client.patch(path, [op("replace", flag, True)])).status == 200
    assert (await world.client.patch(f"/v1/ports/{made.json['uuid']}", change)).status == 200
    assert (await world.client.patch(path, [op("replace", flag, False)])).status == 409


async def test_a_port_group_changes_when_its_node_allows_it(world: World) -> None:
    node, other = await world.add_node(), await world.add_node()
    foreign = await world.add_node(owner="you")
    group = await add_group(world, node["uuid"])
    path, change = f"/v1/portgroups/{group['uuid']}", [op("add", "/extra/a", 1)]
    for patch in (
        [op("remove", "/mode")], [op("replace", "/mode", None)], [op("remove", "/node_uuid")],
        [op("replace", "/node_uuid", UUID)], [op("replace", "/node_uuid", foreign["uuid"])],
        [op("replace", "/dynamic_portgroup", True)], [op("replace", "/uuid", UUID)],
    ):  # fmt: skip
        assert (await world.client.patch(path, patch)).status == 400, patch
    await world.put_node(node["uuid"], provision_state=ProvisionState.INSPECTING)
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.at("1.38").patch(path, change)).status == 200
    await world.put_node(node["uuid"], provision_state=ProvisionState.ACTIVE)
    assert (await world.client.patch(path, change)).status == 200
    move = [op("replace", "/node_uuid", other["uuid"])]
    assert (await world.client.patch(path, move)).status == 409
    await world.put_node(node["uuid"], reservation="conductor-9")
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.delete(path)).status == 409
