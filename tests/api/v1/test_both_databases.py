"""What must hold on SQLite and PostgreSQL alike: a walk through the resources, requests at once."""

import asyncio
from collections import Counter

import pytest

from bessemer.domain.provision import ProvisionState
from bessemer.service.allocator import Allocator
from fakes.api_world import World

MAC = "aa:bb:cc:00:11:22"


@pytest.fixture(params=["sqlite", "postgresql"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_walk_through_the_resources(world: World) -> None:
    client = world.client
    chassis = (await client.post("/v1/chassis", {"description": "Ünïcode"})).json["uuid"]
    nodes = [await world.add_node(name=f"n{number}", chassis_uuid=chassis) for number in range(3)]
    path = f"/v1/nodes/{nodes[0]['uuid']}"
    patch = [{"op": "add", "path": "/extra/ключ", "value": {"a": [1, None, "✓"]}}]
    assert (await client.patch(path, patch)).json["extra"] == {"ключ": {"a": [1, None, "✓"]}}
    await world.add_port(nodes[0]["uuid"], MAC)
    await client.put(f"{path}/traits", {"traits": ["CUSTOM_A"]})
    first = (await client.get("/v1/nodes?limit=2&sort_key=name&sort_dir=desc&detail=true")).json
    rest = (await client.get(first["next"])).json
    assert [node["name"] for node in (*first["nodes"], *rest["nodes"])] == ["n2", "n1", "n0"]
    assert rest["nodes"][0]["traits"] == ["CUSTOM_A"]
    found = (await client.get(f"/v1/nodes?description_contains=x&chassis_uuid={chassis}")).json
    assert found == {"nodes": []}
    assert (await client.get(f"/v1/ports?node={nodes[0]['uuid']}&detail=true")).json["ports"][0][
        "address"
    ] == MAC
    assert (await client.put(f"{path}/states/provision", {"target": "manage"})).status == 202
    assert (await client.get(f"{path}/history?detail=true")).json["history"][-1]["state"] == "verifying"
    assert (await client.post("/v1/nodes", {"driver": "fake-hardware", "name": "n0"})).status == 409
    assert (await client.delete(f"/v1/nodes/{nodes[1]['uuid']}")).status == 204


@pytest.mark.parametrize("minor", [1, 2, 34, 75, 115])
async def test_a_list_shows_a_node_as_it_shows_itself(world: World, minor: int) -> None:
    """Lists are written by the database for the most part, single resources by us."""
    secret = {"fake_password": "hidden", "note": '"%s" {} \\ ✓'}
    description, step = 'A "rack" \\ with\t100 %s of {}', {"step": "x", "args": {"password": "p"}}
    node = await world.add_node(driver_info=secret, description=description, extra={"{}": [None, "%"]})
    await world.put_node(node["uuid"], maintenance=True, clean_step=step, last_error="}")
    await world.add_node()
    client = world.client.at(f"1.{minor}")
    path = "/v1/nodes?detail=true" if minor >= 43 else "/v1/nodes/detail"
    listed = (await client.get(path)).json["nodes"]
    assert len(listed) == 2
    for item in listed:
        assert item == (await client.get(f"/v1/nodes/{item['uuid']}")).json


async def test_changes_of_one_chassis_at_the_same_time_all_last(world: World) -> None:
    chassis = (await world.client.post("/v1/chassis", {})).json["uuid"]
    wanted = {f"k{number}": number for number in range(40)}

    async def add(key: str, value: int) -> int:
        patch = [{"op": "add", "path": f"/extra/{key}", "value": value}]
        return (await world.client.patch(f"/v1/chassis/{chassis}", patch)).status

    assert await asyncio.gather(*(add(key, value) for key, value in wanted.items())) == [200] * 40
    assert (await world.client.get(f"/v1/chassis/{chassis}")).json["extra"] == wanted


async def test_of_many_equal_requests_one_moves_the_node(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/states/provision"
    replies = await asyncio.gather(*(world.client.put(path, {"target": "manage"}) for _ in range(8)))
    assert Counter(reply.status for reply in replies) == {202: 1, 400: 7}
    assert len(await world.operations(node["uuid"])) == 1


async def test_of_many_equal_names_one_is_taken(world: World) -> None:
    body = {"driver": "fake-hardware", "name": "same"}
    replies = await asyncio.gather(*(world.client.post("/v1/nodes", body) for _ in range(8)))
    assert Counter(reply.status for reply in replies) == {201: 1, 409: 7}


async def test_of_many_lookups_one_gets_the_token(world: World) -> None:
    node = await world.add_node()
    await world.put_node(node["uuid"], provision_state=ProvisionState.DEPLOY_WAIT)
    path = f"/v1/lookup?node_uuid={node['uuid']}"
    replies = await asyncio.gather(*(world.client.at("1.62").get(path) for _ in range(8)))
    tokens = Counter(reply.json["config"]["agent_token"] for reply in replies)
    assert tokens["******"] == 7
    assert len(tokens) == 2


async def test_patches_at_the_same_time_all_count(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}"
    await asyncio.gather(
        *(
            world.client.patch(path, [{"op": "add", "path": f"/extra/k{number}", "value": number}])
            for number in range(8)
        )
    )
    assert (await world.node(node["uuid"])).extra == {f"k{number}": number for number in range(8)}


async def test_of_many_allocations_each_gets_a_node_of_its_own_or_a_reason(world: World) -> None:
    uuids = [(await world.add_node(resource_class="gold"))["uuid"] for _ in range(4)]
    for uuid in uuids:
        await world.put_node(uuid, provision_state=ProvisionState.AVAILABLE)
    allocators = [Allocator(world.database) for _ in range(3)]
    asked = await asyncio.gather(
        *(world.client.post("/v1/allocations", {"resource_class": "gold"}) for _ in range(10)),
        *(allocator.settle_waiting() for allocator in allocators),
    )
    assert [reply.status for reply in asked[:10]] == [201] * 10
    await asyncio.gather(*(allocator.settle_waiting() for allocator in allocators))
    found = (await world.client.get("/v1/allocations")).json["allocations"]
    assert Counter(item["state"] for item in found) == {"active": 4, "error": 6}
    assert {item["node_uuid"] for item in found if item["state"] == "active"} == set(uuids)
    assert all(item["last_error"] for item in found if item["state"] == "error")


async def test_an_allocation_is_given_back_while_it_is_being_granted(world: World) -> None:
    """Whoever comes first: in the end there is neither an allocation nor a node that has one."""
    node = await world.add_node(resource_class="gold")
    await world.put_node(node["uuid"], provision_state=ProvisionState.AVAILABLE)
    for _ in range(5):
        asked = (await world.client.post("/v1/allocations", {"resource_class": "gold"})).json
        deleted, _ = await asyncio.gather(
            world.client.delete(f"/v1/allocations/{asked['uuid']}"),
            world.services.allocator.settle_waiting(),
        )
        assert deleted.status == 204
        assert (await world.client.get("/v1/allocations")).json == {"allocations": []}
        free = await world.node(node["uuid"])
        assert (free.instance_uuid, free.allocation_uuid) == (None, None)


async def test_the_resources_beside_nodes_live_on_both(world: World) -> None:
    client, step = world.client, {"interface": "bios", "step": "reset", "args": {"ключ": None}}
    for path, body, change in (
        ("deploy_templates", {"name": "CUSTOM_A", "steps": [{**step, "priority": 1}]}, "/extra/a"),
        ("runbooks", {"name": "a", "steps": [{**step, "order": 1}], "public": True}, "/extra/a"),
        ("inspection_rules", {"actions": [{"op": "fail", "args": {"msg": "✓"}}]}, "/description"),
    ):
        made = (await client.post(f"/v1/{path}", body)).json
        assert made.items() >= body.items()
        one = f"/v1/{path}/{made['uuid']}"
        patched = await client.patch(one, [{"op": "add", "path": change, "value": "x"}])
        assert patched.status == 200, patched.body
        assert (await client.get(f"/v1/{path}?detail=true")).json[path] == [patched.json]
        assert (await client.post(f"/v1/{path}", {**body, "uuid": made["uuid"]})).status == 409
        assert (await client.delete(one)).status == 204
    await client.post("/v1/runbooks", {"name": "a", "steps": [{**step, "order": 1}]})
    for path in ("traits", "traits/CUSTOM_B"):
        body = {"traits": ["CUSTOM_A"]} if path == "traits" else None
        assert (await client.put(f"/v1/runbooks/a/{path}", body)).status == 204
    assert (await client.get("/v1/runbooks/a")).json["traits"] == ["CUSTOM_A", "CUSTOM_B"]


@pytest.mark.parametrize("path", ["deploy_templates", "runbooks", "allocations"])
async def test_patches_of_what_is_beside_nodes_all_count(world: World, path: str) -> None:
    step = {"interface": "bios", "step": "reset", "args": {}}
    body = {
        "deploy_templates": {"name": "CUSTOM_A", "steps": [{**step, "priority": 1}]},
        "runbooks": {"name": "a", "steps": [{**step, "order": 1}]},
        "allocations": {"resource_class": "gold"},
    }[path]
    one = f"/v1/{path}/{(await world.client.post(f'/v1/{path}', body)).json['uuid']}"
    replies = await asyncio.gather(
        *(
            world.client.patch(one, [{"op": "add", "path": f"/extra/k{number}", "value": number}])
            for number in range(8)
        )
    )
    assert [reply.status for reply in replies] == [200] * 8
    assert (await world.client.get(one)).json["extra"] == {f"k{number}": number for number in range(8)}
