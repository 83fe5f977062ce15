"""Chassis: create, show, list, change, delete."""

from fakes.api_client import ApiClient
from fakes.api_world import World

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


async def test_a_chassis_lives_and_dies(client: ApiClient) -> None:
    reply = await client.post("/v1/chassis", {"uuid": UUID, "description": "rack 1"})
    assert reply.status == 201
    assert reply.headers["location"] == f"http://api.test/v1/chassis/{UUID}"
    assert reply.json["nodes"][0][0]["href"] == f"http://api.test/v1/chassis/{UUID}/nodes"
    assert (await client.get("/v1/chassis")).json["chassis"][0].keys() == {"uuid", "description", "links"}
    assert "extra" in (await client.get("/v1/chassis/detail")).json["chassis"][0]
    patch = [{"op": "add", "path": "/extra/a", "value": 1}, {"op": "remove", "path": "/description"}]
    changed = await client.patch(f"/v1/chassis/{UUID}", patch)
    assert (changed.json["extra"], changed.json["description"]) == ({"a": 1}, None)
    assert (await client.delete(f"/v1/chassis/{UUID}")).status == 204
    assert (await client.get(f"/v1/chassis/{UUID}")).status == 404


async def test_an_empty_object_makes_a_chassis(client: ApiClient) -> None:
    for body in ({}, None):
        assert (await client.post("/v1/chassis", body)).status == 201
    for body in ([], {"zork": 1}, {"description": "x" * 256}):
        assert (await client.post("/v1/chassis", body)).status == 400


async def test_a_uuid_is_taken_once_and_stays(client: ApiClient) -> None:
    await client.post("/v1/chassis", {"uuid": UUID})
    assert (await client.post("/v1/chassis", {"uuid": UUID})).status == 409
    for value, status in ((UUID, 200), (UUID[:-1] + "9", 400), ("x", 400)):
        patch = [{"op": "replace", "path": "/uuid", "value": value}]
        assert (await client.patch(f"/v1/chassis/{UUID}", patch)).status == status
    removed = await client.patch(f"/v1/chassis/{UUID}", [{"op": "remove", "path": "/uuid"}])
    assert removed.status == 400


async def test_a_chassis_with_nodes_stays(world: World) -> None:
    await world.client.post("/v1/chassis", {"uuid": UUID})
    await world.add_node(chassis_uuid=UUID)
    assert (await world.client.delete(f"/v1/chassis/{UUID}")).status == 400


async def test_only_uuids_address_a_chassis(client: ApiClient) -> None:
    assert (await client.get("/v1/chassis/rack1")).status == 400
