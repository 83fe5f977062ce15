"""BIOS settings and firmware components in the store; the same on SQLite and PostgreSQL."""

from typing import Any

import msgspec
import pytest

from bessemer.domain.bios_setting import BiosSetting
from bessemer.domain.firmware_component import FirmwareComponent
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.bios_setting import find_bios_setting, list_bios_setting_rows, put_bios_settings
from bessemer.store.database import Database
from bessemer.store.firmware_component import list_firmware_component_rows, put_firmware_components
from bessemer.store.node import delete_node
from fakes.clock import FakeClock
from fakes.store import add_nodes

CHOICE = {
    "name": "Boot",
    "value": "Uefi",
    "attribute_type": "Enumeration",
    "allowable_values": ["Uefi", "Bios"],
    "read_only": False,
    "reset_required": True,
    "unique": None,
}
NUMBER = {"name": "Nodes", "value": 4, "attribute_type": "Integer", "lower_bound": 1, "upper_bound": 8}
TIMES = ("name", "value", "created_at", "updated_at")


async def put(database: Database, node_uuid: str, *settings: dict[str, Any]) -> None:
    async with database.write() as tx:
        await put_bios_settings(tx, node_uuid, settings)


async def listed(database: Database, node_uuid: str, *fields: str) -> list[tuple[Any, ...]]:
    async with database.read() as tx:
        return [tuple(row) for row in await list_bios_setting_rows(tx, node_uuid, fields)]


async def test_settings_come_back_in_order_of_name_with_values_as_text(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    await put(database, node.uuid, NUMBER, CHOICE)
    await put(database, other.uuid, {"name": "Only", "value": None})
    assert await listed(database, node.uuid, "name", "value") == [("Boot", "Uefi"), ("Nodes", "4")]
    async with database.read() as tx:
        found = await find_bios_setting(tx, node.uuid, "Boot")
        assert found is not None
        assert msgspec.structs.asdict(found) == msgspec.structs.asdict(
            BiosSetting(**CHOICE, node_uuid=node.uuid, created_at=found.created_at)  # type: ignore[arg-type]
        )
        assert await find_bios_setting(tx, node.uuid, "Only") is None
        [row, _] = await list_bios_setting_rows(tx, node.uuid, ["allowable_values", "read_only"])
    assert tuple(row) == ('["Uefi","Bios"]', False)


async def test_reading_again_changes_only_what_has_changed(database: Database, clock: FakeClock) -> None:
    [node] = await add_nodes(database, {})
    await put(database, node.uuid, CHOICE, NUMBER, {"name": "Gone", "value": "x"})
    [(_, _, first, _), *_] = await listed(database, node.uuid, *TIMES)
    clock.advance(60)
    await put(database, node.uuid, CHOICE, {**NUMBER, "value": "5"}, {"name": "New", "value": "y"})
    [(_, _, later, _)] = [row for row in await listed(database, node.uuid, *TIMES) if row[0] == "New"]
    assert await listed(database, node.uuid, *TIMES) == [
        ("Boot", "Uefi", first, None),
        ("New", "y", later, None),
        ("Nodes", "5", first, later),
    ]
    assert later > first


async def test_what_the_registry_no_longer_says_is_forgotten(database: Database) -> None:
    [node] = await add_nodes(database, {})
    await put(database, node.uuid, CHOICE)
    await put(database, node.uuid, {"name": "Boot", "value": "Uefi"})
    assert await listed(database, node.uuid, "name", "allowable_values") == [("Boot", None)]


async def test_reading_nothing_leaves_nothing(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    await put(database, node.uuid, CHOICE)
    await put(database, other.uuid, CHOICE)
    await put(database, node.uuid)
    assert await listed(database, node.uuid, "name") == []
    assert await listed(database, other.uuid, "name") == [("Boot",)]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"value": "x"}, "lacks its 'name'"),
        ({"name": ""}, "name"),
        ({"name": "a", "colour": 1}, "no 'colour'"),
    ],
)
async def test_what_is_no_setting_is_refused(database: Database, setting: dict[str, Any], words: str) -> None:
    [node] = await add_nodes(database, {})
    with pytest.raises(InvalidValue, match=words):
        await put(database, node.uuid, setting)


async def test_readings_need_a_node_and_go_with_it(database: Database) -> None:
    with pytest.raises(NotFound):
        await put(database, new_uuid(), CHOICE)
    [node] = await add_nodes(database, {})
    await put(database, node.uuid, CHOICE)
    async with database.write() as tx:
        await put_firmware_components(tx, node.uuid, [{"component": "bmc", "initial_version": "1"}])
        await delete_node(tx, node.uuid)
        assert await list_bios_setting_rows(tx, node.uuid, ["name"]) == []
        assert await list_firmware_component_rows(tx, node.uuid, ["component"]) == []


async def test_unknown_fields_of_readings_can_not_be_listed(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidValue, match="colour"):
            await list_bios_setting_rows(tx, new_uuid(), ["colour"])
        with pytest.raises(InvalidValue, match="colour"):
            await list_firmware_component_rows(tx, new_uuid(), ["colour"])


async def test_a_component_keeps_its_first_version_and_what_is_not_told(database: Database) -> None:
    [node] = await add_nodes(database, {})
    bmc = {"component": "bmc", "current_version": "1.0", "vendor": "V", "last_version_flashed": "1.0"}
    async with database.write() as tx:
        await put_firmware_components(tx, node.uuid, [bmc, {"component": "bios", "initial_version": "7"}])
        await put_firmware_components(
            tx,
            node.uuid,
            [{"component": "bmc", "current_version": "2.0"}, {"component": "nic:1", "initial_version": "3"}],
        )
        fields = ["component", "initial_version", "current_version", "last_version_flashed", "vendor"]
        rows = [tuple(row) for row in await list_firmware_component_rows(tx, node.uuid, fields)]
        assert rows == [("bmc", "1.0", "2.0", "1.0", "V"), ("nic:1", "3", None, None, None)]
        every = FirmwareComponent.__struct_fields__
        assert len(await list_firmware_component_rows(tx, node.uuid, every)) == 2


async def test_a_component_without_any_version_is_refused(database: Database) -> None:
    [node] = await add_nodes(database, {})
    with pytest.raises(InvalidValue, match="initial_version"):
        async with database.write() as tx:
            await put_firmware_components(tx, node.uuid, [{"component": "bmc"}])
