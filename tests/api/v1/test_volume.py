"""Volume connectors and targets: make, show, list, change, delete, and when that is possible."""

from dataclasses import dataclass
from typing import Any

import pytest

from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from fakes.api_world import World

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
SECRET = "hush-hush-hush"


@dataclass(frozen=True)
class Sort:
    """What the two kinds differ in. ``other`` makes a second one beside ``body``."""

    name: str
    body: dict[str, Any]
    other: dict[str, Any]
    wrong: tuple[dict[str, Any], ...]

    @property
    def path(self) -> str:
        return f"/v1/volume/{self.name}"

    @property
    def word(self) -> str:
        """A field that is text and not unique."""
        return "connector_id" if self.name == "connectors" else "volume_type"


CONNECTORS = Sort(
    "connectors",
    {"type": "iqn", "connector_id": "iqn.2026-01.org.example:a"},
    {"type": "mac", "connector_id": "aa:bb:cc:00:11:22"},
    ({"type": "t" * 33}, {"connector_id": ""}, {"connector_id": 7}, {"properties": {}}),
)
TARGETS = Sort(
    "targets",
    {"volume_type": "iscsi", "boot_index": 0, "volume_id": "v-1"},
    {"volume_type": "iscsi", "boot_index": 1, "volume_id": "v-2"},
    ({"boot_index": -1}, {"boot_index": "first"}, {"volume_id": "v" * 37}, {"volume_type": None}),
)
both = pytest.mark.parametrize("sort", [CONNECTORS, TARGETS], ids=lambda sort: sort.name)


def op(kind: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


async def add(world: World, sort: Sort, node_uuid: str, **values: Any) -> dict[str, Any]:
    reply = await world.client.post(sort.path, {"node_uuid": node_uuid, **sort.body, **values})
    assert reply.status == 201, reply.body
    document: dict[str, Any] = reply.json
    return document


async def add_node(world: World, **values: Any) -> str:
    """A node that is powered off."""
    node = await world.add_node(**values)
    await world.put_node(node["uuid"], power_state=PowerState.OFF)
    return str(node["uuid"])


@both
async def test_one_lives_and_dies(world: World, sort: Sort) -> None:
    node = await add_node(world)
    made = await world.client.post(sort.path, {"uuid": UUID, "node_uuid": node, **sort.body})
    assert (made.status, made.headers["location"]) == (201, f"http://api.test{sort.path}/{UUID}")
    assert made.json.items() >= {"uuid": UUID, "node_uuid": node, "extra": {}, **sort.body}.items()
    listed = (await world.client.get(sort.path)).json[sort.name][0]
    assert listed.keys() == {"uuid", "node_uuid", *sort.body, "links"}
    assert (await world.client.get(f"{sort.path}?detail=true")).json[sort.name][0]["extra"] == {}
    chosen = await world.client.get(f"{sort.path}/{UUID}?fields=extra,node_uuid")
    assert chosen.json.keys() == {"extra", "node_uuid", "links"}
    changes = [op("replace", f"/{sort.word}", "other"), op("add", "/extra/a", 1)]
    changed = (await world.client.patch(f"{sort.path}/{UUID}", changes)).json
    assert (changed[sort.word], changed["extra"]) == ("other", {"a": 1})
    assert (await world.client.delete(f"{sort.path}/{UUID}")).status == 204
    for method in ("GET", "DELETE"):
        assert (await world.client.call(method, f"{sort.path}/{UUID}")).status == 404
    assert (await world.client.patch(f"{sort.path}/{UUID}", changes)).status == 404


@both
async def test_what_cannot_be_right_is_refused(world: World, sort: Sort) -> None:
    node = await add_node(world)
    for wrong in (*sort.wrong, {"node_uuid": UUID}, {"node_uuid": "n1"}, {"zork": 1}, {"uuid": "x"}):
        reply = await world.client.post(sort.path, {"node_uuid": node, **sort.body, **wrong})
        assert reply.status == 400, wrong
    for missing in ("node_uuid", *sort.body):
        body = {"node_uuid": node, **sort.body}
        del body[missing]
        assert (await world.client.post(sort.path, body)).status == 400, missing
    path = f"{sort.path}/{(await add(world, sort, node))['uuid']}"
    for patch in (
        [op("remove", "/node_uuid")], [op("remove", f"/{sort.word}")], [op("replace", "/uuid", UUID)],
        [op("replace", f"/{sort.word}", None)], [op("replace", "/node_uuid", UUID)],
    ):  # fmt: skip
        assert (await world.client.patch(path, patch)).status == 400, patch
    assert (await world.client.get(f"{sort.path}/by-name")).status == 400
    assert (await world.client.get(f"{sort.path}?fields=id&detail=true")).status == 400


@both
async def test_the_same_one_is_there_once(world: World, sort: Sort) -> None:
    node = await add_node(world)
    first = await add(world, sort, node)
    again = await world.client.post(sort.path, {"node_uuid": node, **sort.body})
    assert again.status == 409
    same_uuid = await world.client.post(sort.path, {"node_uuid": node, **sort.other, "uuid": first["uuid"]})
    assert same_uuid.status == 409
    second = await add(world, sort, node, **sort.other)
    patch = [op("replace", f"/{name}", value) for name, value in sort.body.items()]
    assert (await world.client.patch(f"{sort.path}/{second['uuid']}", patch)).status == 409


@both
async def test_lists_are_filtered_and_come_in_pages(world: World, sort: Sort) -> None:
    one, two = await add_node(world, name="one", owner="me"), await add_node(world, name="two", lessee="you")
    first, second = await add(world, sort, one), await add(world, sort, two, **sort.other)
    for query, wanted in (
        ("?node=one", [first]), (f"?node={two}", [second]), ("?project=me", [first]),
        ("?project=you", [second]), ("?project=nobody", []), ("?sort_key=created_at", [first, second]),
        ("?sort_key=id&sort_dir=desc", [second, first]),
    ):  # fmt: skip
        found = (await world.client.get(sort.path + query)).json[sort.name]
        assert [item["uuid"] for item in found] == [item["uuid"] for item in wanted], query
    for ident in ("one", one):
        found = (await world.client.get(f"/v1/nodes/{ident}/volume/{sort.name}")).json[sort.name]
        assert [item["uuid"] for item in found] == [first["uuid"]]
    page = (await world.client.get(f"{sort.path}?limit=1&fields=uuid")).json
    rest = (await world.client.get(page["next"])).json[sort.name]
    assert [item["uuid"] for item in rest] == [second["uuid"]]
    for query, status in (
        ("node=none", 404),
        (f"marker={UUID}", 404),
        ("sort_key=extra", 400),
        ("zork=1", 400),
    ):
        assert (await world.client.get(f"{sort.path}?{query}")).status == status, query
    assert (await world.client.get(f"/v1/nodes/none/volume/{sort.name}")).status == 404


@both
async def test_volumes_change_only_while_the_node_is_off(world: World, sort: Sort) -> None:
    node = await add_node(world)
    path, change = f"{sort.path}/{(await add(world, sort, node))['uuid']}", [op("add", "/extra/a", 1)]
    await world.put_node(node, power_state=PowerState.ON, provision_state=ProvisionState.ACTIVE)
    reply = await world.client.patch(path, change)
    assert (reply.status, "powered off" in reply.message) == (400, True)
    assert (await world.client.delete(path)).status == 400
    await world.put_node(node, reservation="conductor-9", power_state=PowerState.OFF)
    assert (await world.client.patch(path, change)).status == 409
    assert (await world.client.delete(path)).status == 409
    await world.put_node(node, reservation=None)
    assert (await world.client.patch(path, change)).status == 200
    assert (await world.client.delete(path)).status == 204


@both
async def test_volumes_of_a_parked_node_go_at_any_power(world: World, sort: Sort) -> None:
    node = (await world.add_node())["uuid"]
    path = f"{sort.path}/{(await add(world, sort, node))['uuid']}"
    await world.put_node(node, power_state=PowerState.ON, provision_state=ProvisionState.MANAGEABLE)
    assert (await world.client.delete(path)).status == 204


@both
async def test_volumes_move_between_nodes_of_one_owner(world: World, sort: Sort) -> None:
    node, other, foreign = await add_node(world), await add_node(world), await add_node(world, owner="you")
    path = f"{sort.path}/{(await add(world, sort, node))['uuid']}"
    assert (await world.client.patch(path, [op("replace", "/node_uuid", foreign)])).status == 400
    moved = await world.client.patch(path, [op("replace", "/node_uuid", other)])
    assert moved.json["node_uuid"] == other


async def test_how_to_log_in_to_a_volume_is_not_told(world: World) -> None:
    node = await add_node(world)
    held = {"auth_username": "u", "auth_password": SECRET, "target_lun": 1}
    made = await add(world, TARGETS, node, properties=held)
    assert made["properties"] == {**held, "auth_password": "******"}
    path = f"{TARGETS.path}/{made['uuid']}"
    replies = [
        await world.client.get(path),
        await world.client.get(f"{TARGETS.path}?detail=true"),
        await world.client.patch(path, [op("replace", "/properties/target_lun", 2)]),
    ]
    assert all(SECRET not in reply.body.decode() for reply in replies)
    assert replies[-1].json["properties"]["target_lun"] == 2


async def test_documents_lead_to_the_lists(world: World) -> None:
    node = await add_node(world, name="n1")
    for path, address in (("/v1/volume", "volume"), ("/v1/nodes/n1/volume", f"nodes/{node}/volume")):
        found = (await world.client.get(path)).json
        assert found.keys() == {"links", "connectors", "targets"}
        assert found["links"][0] == {"href": f"http://api.test/v1/{address}/", "rel": "self"}
        assert found["targets"][1] == {"href": f"http://api.test/{address}/targets", "rel": "bookmark"}
        assert (await world.client.get(found["connectors"][0]["href"])).json == {"connectors": []}
    assert (await world.client.get("/v1/nodes/none/volume")).status == 404
