"""Allocations: ask for a node, see what was given, give it back."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bessemer.domain.allocation import Candidate
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Forbidden, InvalidValue, NotFound
from bessemer.service.allocator import Allocator
from bessemer.store.allocation import AllocationFilter
from bessemer.store.page import Page
from fakes.api_client import Reply
from fakes.api_world import World
from fakes.persona import OTHER, OWNER, default_policy, persona

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
ALL = "/v1/allocations"
RULE = "baremetal:allocation"
OURS, THEIRS = (persona(name).under(default_policy()) for name in ("owner_member", "other_member"))


async def add_node(world: World, *, state: ProvisionState = ProvisionState.AVAILABLE, **values: Any) -> Any:
    node = await world.add_node(**{"resource_class": "gold", **values})
    await world.put_node(node["uuid"], provision_state=state)
    return node


async def ask(world: World, **values: Any) -> Any:
    reply = await world.client.post(ALL, {"resource_class": "gold", **values})
    assert (reply.status, reply.json["state"]) == (201, "allocating"), reply.body
    return reply.json


async def granted(world: World, **values: Any) -> Any:
    """What became of a new allocation."""
    asked = await ask(world, **values)
    await world.services.allocator.settle_waiting()
    return (await world.client.get(f"{ALL}/{asked['uuid']}")).json


async def test_an_allocation_is_asked_for_granted_and_given_back(world: World) -> None:
    node = await add_node(world)
    await world.client.put(f"/v1/nodes/{node['uuid']}/traits", {"traits": ["CUSTOM_A", "CUSTOM_B"]})
    reply = await world.client.post(
        ALL,
        {"uuid": UUID, "name": "mine", "resource_class": "gold", "traits": ["CUSTOM_A"], "extra": {"a": 1}},
    )
    assert (reply.status, reply.headers["location"]) == (201, f"http://api.test{ALL}/{UUID}")
    assert reply.json.keys() == {
        "uuid", "name", "resource_class", "traits", "candidate_nodes", "node_uuid", "state", "last_error",
        "extra", "owner", "created_at", "updated_at", "links",
    }  # fmt: skip
    assert (reply.json["state"], reply.json["node_uuid"]) == ("allocating", None)
    assert (await world.client.get(f"/v1/nodes/{node['uuid']}/allocation")).status == 404
    assert await world.services.allocator.settle_waiting() == 1
    found = (await world.client.get(f"{ALL}/mine")).json
    assert (found["state"], found["node_uuid"]) == ("active", node["uuid"])
    assert (await world.client.get(f"/v1/nodes/{node['uuid']}/allocation")).json == found
    held = (await world.client.get(f"/v1/nodes/{node['uuid']}")).json
    assert (held["instance_uuid"], held["allocation_uuid"]) == (UUID, UUID)
    assert held["instance_info"] == {"traits": ["CUSTOM_A"]}
    for status in (204, 404):
        assert (await world.client.delete(f"{ALL}/mine")).status == status
    free = (await world.client.get(f"/v1/nodes/{node['uuid']}")).json
    assert (free["instance_uuid"], free["allocation_uuid"], free["instance_info"]) == (None, None, {})


async def test_the_allocator_is_woken_by_each_new_allocation(world: World) -> None:
    await add_node(world, name="n1")
    left_behind = await ask(world)
    running = asyncio.create_task(world.services.allocator.run(pause_s=3600))
    try:
        async with asyncio.timeout(10):
            await _until_settled(world, left_behind["uuid"])
            second = await ask(world)
            await _until_settled(world, second["uuid"])
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (await world.client.get(f"{ALL}/{left_behind['uuid']}")).json["state"] == "active"
    reason = (await world.client.get(f"{ALL}/{second['uuid']}")).json["last_error"]
    assert "free of an instance" in reason


async def test_allocations_that_fail_do_not_keep_back_the_others_however_many_they_are(world: World) -> None:
    def arrange(nodes: Sequence[Candidate]) -> Sequence[Candidate]:
        assert nodes[0].name != "poison"
        return nodes

    await add_node(world, name="poison", resource_class="lead")
    for _ in range(201):
        await ask(world, resource_class="lead")
    await add_node(world, name="n1")
    good = await ask(world)
    assert await Allocator(world.database, arrange).settle_waiting() == 1
    assert (await world.client.get(f"{ALL}/{good['uuid']}")).json["state"] == "active"
    left = (await world.client.get(f"{ALL}?state=allocating")).json["allocations"]
    assert len(left) == 201


async def _until_settled(world: World, uuid: str) -> None:
    while (await world.client.get(f"{ALL}/{uuid}")).json["state"] == "allocating":  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_an_allocation_that_nothing_fits_says_why(world: World) -> None:
    await add_node(world)
    found = await granted(world, traits=["CUSTOM_A"])
    assert (found["state"], found["node_uuid"]) == ("error", None)
    assert "CUSTOM_A" in found["last_error"]
    assert (await world.client.delete(f"{ALL}/{found['uuid']}")).status == 204


async def test_candidates_are_named_or_numbered_and_shown_as_uuids(world: World) -> None:
    nodes = [await add_node(world, name=f"n{number}") for number in range(3)]
    found = await granted(world, candidate_nodes=["n2"])
    assert (found["candidate_nodes"], found["node_uuid"]) == ([nodes[2]["uuid"]], nodes[2]["uuid"])
    found = await granted(world, candidate_nodes=[nodes[1]["uuid"]])
    assert found["node_uuid"] == nodes[1]["uuid"]
    for unknown in (["zork"], [UUID], [5], ["\x00"], "n2"):
        reply = await world.client.post(ALL, {"resource_class": "gold", "candidate_nodes": unknown})
        assert reply.status == 400


async def test_the_node_that_has_the_allocations_name_is_preferred(world: World) -> None:
    for number in range(5):
        await add_node(world, name=f"n{number}")
    found = await granted(world, name="n3")
    assert found["node_uuid"] == (await world.client.get("/v1/nodes/n3")).json["uuid"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"resource_class": None},
        {"resource_class": ""},
        {"resource_class": "x" * 81},
        {"resource_class": "gold", "traits": ["lower"]},
        {"resource_class": "gold", "traits": "CUSTOM_A"},
        {"resource_class": "gold", "traits": [f"CUSTOM_{number}" for number in range(51)]},
        {"resource_class": "gold", "candidate_nodes": ["n1"] * 1001},
        {"resource_class": "gold", "name": "no name"},
        {"resource_class": "gold", "state": "active"},
        {"resource_class": "gold", "node_uuid": UUID},
        {"node": "none"},
    ],
)
async def test_an_allocation_is_checked(world: World, body: Any) -> None:
    await add_node(world, name="n1")
    assert (await world.client.post(ALL, body)).status == 400
    assert (await world.client.get(ALL)).json == {"allocations": []}


async def test_names_and_uuids_are_taken_once(world: World) -> None:
    await ask(world, name="mine", uuid=UUID)
    for values in ({"name": "mine"}, {"uuid": UUID}):
        assert (await world.client.post(ALL, {"resource_class": "gold", **values})).status == 409
    await ask(world, name="other")
    rename = [{"op": "replace", "path": "/name", "value": "mine"}]
    assert (await world.client.patch(f"{ALL}/other", rename)).status == 409


async def test_name_and_extra_may_change_and_nothing_else(world: World) -> None:
    asked = await ask(world, name="mine")
    path = f"{ALL}/{asked['uuid']}"
    changed = await world.client.patch(
        path, [{"op": "remove", "path": "/name"}, {"op": "add", "path": "/extra/a", "value": 1}]
    )
    assert (changed.json["name"], changed.json["extra"]) == (None, {"a": 1})
    for name in ("resource_class", "traits", "owner", "state", "node_uuid", "candidate_nodes", "uuid"):
        patch = [{"op": "add", "path": f"/{name}", "value": "x"}]
        assert (await world.client.patch(path, patch)).status == 400


# ---------------------------------------------------------------------- recorded afterwards


async def backfill(world: World, **values: Any) -> Reply:
    return await world.client.post(ALL, values)


async def test_a_node_in_use_is_recorded_as_allocated_at_once(world: World) -> None:
    node = await add_node(world, name="n1", instance_uuid=UUID, state=ProvisionState.ACTIVE)
    reply = await backfill(world, node="n1", name="mine")
    assert (reply.status, reply.json["state"]) == (201, "active")
    assert (reply.json["uuid"], reply.json["node_uuid"]) == (UUID, node["uuid"])
    assert reply.json["resource_class"] == "gold"
    assert (await backfill(world, node="n1")).status == 409


async def test_a_node_that_is_not_in_use_or_of_another_class_is_not_recorded(world: World) -> None:
    await add_node(world, name="idle")
    await add_node(world, name="busy", state=ProvisionState.ACTIVE)
    assert (await backfill(world, node="idle")).status == 409
    assert (await backfill(world, node="busy", resource_class="silver")).status == 409
    assert (await backfill(world, node="busy", traits=["CUSTOM_A"])).status == 409


async def test_older_clients_record_nothing_and_know_no_owner(world: World) -> None:
    await add_node(world, name="n1", state=ProvisionState.ACTIVE)
    assert (await world.client.at("1.57").post(ALL, {"node": "n1"})).status == 400
    body = {"resource_class": "gold", "owner": "me"}
    assert (await world.client.at("1.59").post(ALL, body)).status == 406
    assert (await world.client.at("1.59").get(f"{ALL}?owner=me")).status == 406
    await ask(world)
    assert "owner" not in (await world.client.at("1.59").get(ALL)).json["allocations"][0]


# ---------------------------------------------------------------------- given back


async def test_an_allocation_in_use_is_kept_but_in_maintenance(world: World) -> None:
    node = await add_node(world)
    found = await granted(world)
    path = f"/v1/nodes/{node['uuid']}"
    for state in (ProvisionState.ACTIVE, ProvisionState.DEPLOY_WAIT):
        await world.put_node(node["uuid"], provision_state=state)
        assert (await world.client.delete(f"{ALL}/{found['uuid']}")).status == 409
        assert (await world.client.delete(f"{path}/allocation")).status == 409
    await world.put_node(node["uuid"], maintenance=True)
    for status in (204, 404):
        assert (await world.client.delete(f"{path}/allocation")).status == status
    assert (await world.client.get(f"{ALL}/{found['uuid']}")).status == 404


async def test_an_allocation_of_a_locked_node_is_kept(world: World) -> None:
    node = await add_node(world)
    found = await granted(world)
    await world.put_node(node["uuid"], reservation="conductor-1")
    assert (await world.client.delete(f"{ALL}/{found['uuid']}")).status == 409


async def test_taking_the_instance_off_a_node_ends_its_allocation(world: World) -> None:
    node = await add_node(world)
    found = await granted(world, traits=[])
    path = f"/v1/nodes/{node['uuid']}"
    freed = await world.client.patch(path, [{"op": "remove", "path": "/instance_uuid"}])
    assert (freed.status, freed.json["allocation_uuid"]) == (200, None)
    assert (await world.client.get(f"{ALL}/{found['uuid']}")).status == 404


async def test_a_node_allocated_to_a_project_keeps_its_owner(world: World) -> None:
    node = await add_node(world, owner=OWNER)
    path = f"/v1/nodes/{node['uuid']}"
    await world.services.allocations.create(OURS.asking(f"{RULE}:create"), {"resource_class": "gold"})
    await world.services.allocator.settle_waiting()
    change = [{"op": "replace", "path": "/owner", "value": "theirs"}]
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.delete(f"{path}/allocation")).status == 204
    assert (await world.client.patch(path, change)).status == 200


async def test_deleting_a_node_deletes_its_allocation(world: World) -> None:
    node = await add_node(world)
    found = await granted(world)
    await world.put_node(node["uuid"], maintenance=True)
    assert (await world.client.delete(f"/v1/nodes/{node['uuid']}")).status == 204
    assert (await world.client.get(f"{ALL}/{found['uuid']}")).status == 404


# ---------------------------------------------------------------------- listed


async def test_allocations_are_listed_whole_filtered_and_in_pages(world: World) -> None:
    node = await add_node(world, name="n1")
    await granted(world, name="b")
    await granted(world, name="c", owner="me")
    await ask(world, name="a", resource_class="silver")
    listed = (await world.client.get(ALL)).json["allocations"]
    assert [item["state"] for item in listed] == ["active", "error", "allocating"]
    assert listed[0]["node_uuid"] == node["uuid"]
    for query, names in (
        ("node=n1", ["b"]), (f"node={node['uuid']}", ["b"]), ("resource_class=silver", ["a"]),
        ("state=error", ["c"]), ("owner=me", ["c"]), ("state=active&resource_class=silver", []),
        ("sort_key=name", ["a", "b", "c"]),
    ):  # fmt: skip
        found = (await world.client.get(f"{ALL}?{query}")).json["allocations"]
        assert [item["name"] for item in found] == names, query
    first = (await world.client.get(f"{ALL}?sort_key=name&limit=2&fields=name")).json
    rest = (await world.client.get(first["next"])).json
    assert [item["name"] for item in (*first["allocations"], *rest["allocations"])] == ["a", "b", "c"]
    assert rest["allocations"][0].keys() == {"name", "links"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("fields=zork", 400), ("fields=node", 400), ("sort_key=traits", 400), ("detail=true", 400),
        ("state=zork", 400), ("node=none", 400), ("marker=x", 400), (f"marker={UUID}", 404),
    ],
)  # fmt: skip
async def test_questions_that_make_no_sense_are_refused(world: World, query: str, status: int) -> None:
    assert (await world.client.get(f"{ALL}?{query}")).status == status


# ---------------------------------------------------------------------- projects


async def test_a_project_is_given_only_nodes_it_owns_or_leases(world: World) -> None:
    allocations = world.services.allocations
    node = await add_node(world, owner=OWNER)
    theirs = await allocations.create(THEIRS.asking(f"{RULE}:create"), {"resource_class": "gold"})
    assert theirs.owner == OTHER
    await world.services.allocator.settle_waiting()
    assert (await allocations.get(THEIRS.asking(f"{RULE}:get"), theirs.uuid)).state == "error"
    ours = await allocations.create(OURS.asking(f"{RULE}:create"), {"resource_class": "gold"})
    await world.services.allocator.settle_waiting()
    assert (await allocations.get(OURS.asking(f"{RULE}:get"), ours.uuid)).node_uuid == node["uuid"]
    with pytest.raises(InvalidValue):
        await allocations.create(
            THEIRS.asking(f"{RULE}:create"), {"resource_class": "gold", "candidate_nodes": [node["uuid"]]}
        )
    with pytest.raises(Forbidden):
        await allocations.create(THEIRS.asking(f"{RULE}:create"), {"resource_class": "gold", "owner": OWNER})


async def test_a_project_knows_of_no_other_projects_allocations(world: World) -> None:
    allocations = world.services.allocations
    node = await add_node(world, owner=OWNER)
    ours = await allocations.create(OURS.asking(f"{RULE}:create"), {"resource_class": "gold", "name": "mine"})
    await world.services.allocator.settle_waiting()
    for ident in (ours.uuid, "mine"):
        with pytest.raises(NotFound):
            await allocations.get(THEIRS.asking(f"{RULE}:get"), ident)
        with pytest.raises(NotFound):
            await allocations.delete(THEIRS.asking(f"{RULE}:delete"), ident)
        with pytest.raises(NotFound):
            await allocations.update(THEIRS.asking(f"{RULE}:update"), ident, lambda _: {"name": None})
    with pytest.raises(NotFound):
        await allocations.get_of_node(THEIRS.asking(f"{RULE}:get"), node["uuid"])
    page = Page(limit=10)
    assert (
        await allocations.list_rows(THEIRS.asking(f"{RULE}:list"), ["uuid"], AllocationFilter(), page) == []
    )
    assert (
        len(await allocations.list_rows(OURS.asking(f"{RULE}:list"), ["uuid"], AllocationFilter(), page)) == 1
    )
    with pytest.raises(Forbidden):
        await allocations.list_rows(
            THEIRS.asking(f"{RULE}:list"), ["uuid"], AllocationFilter(owner=OWNER), page
        )
