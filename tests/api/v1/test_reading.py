"""BIOS settings and firmware components of a node, as they were last read."""

from typing import Any

import pytest

from bessemer.store.bios_setting import put_bios_settings
from bessemer.store.firmware_component import put_firmware_components
from fakes.api_world import World

SETTINGS = [
    {"name": "SecureBoot", "value": "Enabled", "attribute_type": "Enumeration",
     "allowable_values": ["Enabled", "Disabled"], "read_only": False},
    {"name": "AssetTag", "value": None, "attribute_type": "String", "max_length": 32, "unique": True},
]  # fmt: skip
COMPONENTS = [
    {"component": "bmc", "current_version": "2.0", "vendor": "Acme"},
    {"component": "bios", "initial_version": "1.0", "current_version": "1.1", "last_version_flashed": "1.1"},
]
REGISTRY = {
    "attribute_type", "allowable_values", "lower_bound", "upper_bound", "min_length", "max_length",
    "read_only", "reset_required", "unique",
}  # fmt: skip
SHORT = {"name", "value", "created_at", "updated_at", "links"}


async def add_node(world: World) -> str:
    """A node that was read."""
    uuid = str((await world.add_node(name="n1"))["uuid"])
    async with world.database.write() as tx:
        await put_bios_settings(tx, uuid, SETTINGS)
        await put_firmware_components(tx, uuid, COMPONENTS)
    return uuid


async def get(world: World, path: str, version: str = "1.115") -> Any:
    reply = await world.client.at(version).get(path)
    assert reply.status == 200, reply.body
    return reply.json


async def test_settings_are_listed_by_name(world: World) -> None:
    node = await add_node(world)
    for ident in ("n1", node):
        found = (await get(world, f"/v1/nodes/{ident}/bios"))["bios"]
        assert [(one["name"], one["value"]) for one in found] == [
            ("AssetTag", None),
            ("SecureBoot", "Enabled"),
        ]
        assert found[0].keys() == SHORT
        address = f"http://api.test/v1/nodes/{node}/bios/SecureBoot"
        assert found[1]["links"][0] == {"href": address, "rel": "self"}


async def test_what_the_registry_says_is_shown_on_demand_from_1_74(world: World) -> None:
    await add_node(world)
    found = (await get(world, "/v1/nodes/n1/bios?detail=true"))["bios"]
    assert found[1].keys() == SHORT | REGISTRY
    assert (found[1]["allowable_values"], found[0]["max_length"]) == (["Enabled", "Disabled"], 32)
    chosen = (await get(world, "/v1/nodes/n1/bios?fields=name,unique"))["bios"]
    assert [(one["unique"], one.keys()) for one in chosen] == [
        (True, {"name", "unique", "links"}), (None, {"name", "unique", "links"}),
    ]  # fmt: skip
    assert (await world.client.at("1.73").get("/v1/nodes/n1/bios?detail=true")).status == 400
    for query in ("fields=zork", "fields=name&detail=true", "limit=1"):
        assert (await world.client.get(f"/v1/nodes/n1/bios?{query}")).status == 400, query


async def test_one_setting_comes_under_its_name(world: World) -> None:
    await add_node(world)
    found = await get(world, "/v1/nodes/n1/bios/AssetTag")
    assert found.keys() == {"AssetTag"}
    assert found["AssetTag"].keys() == SHORT | REGISTRY
    assert (await get(world, "/v1/nodes/n1/bios/AssetTag", "1.73"))["AssetTag"].keys() == SHORT
    for path in ("n1/bios/assettag", "none/bios/AssetTag", "none/bios"):
        assert (await world.client.get(f"/v1/nodes/{path}")).status == 404, path


async def test_components_are_listed_with_everything(world: World) -> None:
    await add_node(world)
    for query in ("", "?detail=true"):
        bios, bmc = (await get(world, f"/v1/nodes/n1/firmware{query}"))["firmware"]
        assert bios.items() >= {"component": "bios", "last_version_flashed": "1.1"}.items()
        assert bmc.items() >= {"initial_version": "2.0", "vendor": "Acme", "serial_number": None}.items()
    older = (await get(world, "/v1/nodes/n1/firmware", "1.113"))["firmware"][0]
    assert bios.keys() - older.keys() == {"vendor", "model", "serial_number"}
    chosen = (await get(world, "/v1/nodes/n1/firmware?fields=component"))["firmware"]
    assert chosen == [{"component": "bios"}, {"component": "bmc"}]


@pytest.mark.parametrize(
    ("path", "version", "status"),
    [
        ("n1/firmware?fields=vendor", "1.113", 406), ("n1/firmware?fields=zork", "1.115", 400),
        ("none/firmware", "1.115", 404), ("n1/firmware", "1.85", 404), ("n1/bios", "1.39", 404),
    ],
)  # fmt: skip
async def test_a_wrong_question_about_readings_is_refused(
    world: World, path: str, version: str, status: int
) -> None:
    await add_node(world)
    assert (await world.client.at(version).get(f"/v1/nodes/{path}")).status == status


async def test_a_node_that_was_never_read_has_no_readings(world: World) -> None:
    node = await world.add_node()
    assert await get(world, f"/v1/nodes/{node['uuid']}/bios") == {"bios": []}
    assert await get(world, f"/v1/nodes/{node['uuid']}/firmware") == {"firmware": []}
