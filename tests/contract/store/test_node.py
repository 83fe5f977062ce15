"""Nodes in the store; the same on SQLite and PostgreSQL."""

from typing import Any

import pytest

from bessemer.domain.chassis import Chassis
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation
from bessemer.domain.port import Port
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Duplicate, InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.chassis import create_chassis
from bessemer.store.conductor import ConductorInterface, register_conductor
from bessemer.store.database import Database
from bessemer.store.event import add_event, list_events
from bessemer.store.inventory import find_inventory, put_inventory
from bessemer.store.node import (
    create_node,
    delete_node,
    find_node,
    get_node,
    merge_node,
    update_node,
)
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.operation import enqueue, get_operation, list_operations
from bessemer.store.page import Page
from bessemer.store.port import create_port, find_port
from bessemer.store.trait import add_trait, list_traits
from fakes.clock import FakeClock
from fakes.store import a_node, add_nodes

EVERYTHING = Page(1000)


async def names(database: Database, filters: NodeFilter, page: Page = EVERYTHING) -> list[str]:
    async with database.read() as tx:
        return [row[0] for row in await list_node_rows(tx, ["name"], filters, page)]


async def test_a_node_comes_back_as_it_was_stored(database: Database) -> None:
    node = a_node(
        name="rack1-u7",
        description="Ünïcode ✓ 'quoted' \\ back",
        provision_state=ProvisionState.DEPLOY_WAIT,
        target_provision_state=ProvisionState.ACTIVE,
        power_state=PowerState.ON,
        driver_info={"redfish_address": "https://bmc", "nested": {"list": [1, None, 2.5, "\u0000 is fine"]}},
        secure_boot=False,
        automated_clean=None,
        protected=True,
    )
    async with database.write() as tx:
        await create_node(tx, node)
    async with database.read() as tx:
        assert await get_node(tx, node.uuid) == node
        assert await find_node(tx, "rack1-u7") == node
        assert await find_node(tx, node.uuid.upper()) == node


async def test_an_absent_node_is_not_found(database: Database) -> None:
    uuid = new_uuid()
    async with database.read() as tx:
        assert await find_node(tx, uuid) is None
        assert await find_node(tx, "nobody") is None
        with pytest.raises(NotFound):
            await get_node(tx, uuid)


@pytest.mark.parametrize("field", ["uuid", "name", "instance_uuid"])
async def test_a_taken_value_is_refused_by_name_and_nothing_is_written(
    database: Database, field: str
) -> None:
    taken = new_uuid()
    await add_nodes(database, {field: taken, "extra": {"first": True}})
    with pytest.raises(Duplicate, match=field):
        await add_nodes(database, {field: taken})
    async with database.read() as tx:
        rows = await list_node_rows(tx, ["extra"], NodeFilter(), EVERYTHING)
    assert [row[0] for row in rows] == ['{"first":true}']


async def test_a_change_to_a_taken_name_is_refused(database: Database) -> None:
    _, second = await add_nodes(database, {"name": "a"}, {"name": "b"})
    with pytest.raises(Duplicate, match="name 'a'"):
        async with database.write() as tx:
            await update_node(tx, second.uuid, name="a")


async def test_an_update_changes_what_it_names_and_when(database: Database, clock: FakeClock) -> None:
    [node] = await add_nodes(database, {"name": "n", "extra": {"kept": 1}})
    clock.advance(60)
    async with database.write() as tx:
        changed = await update_node(tx, node.uuid, power_state=PowerState.OFF, properties={"cpus": 4})
        assert changed.updated_at == tx.now()
    assert changed.power_state is PowerState.OFF
    assert changed.properties == {"cpus": 4}
    assert changed.extra == {"kept": 1}
    async with database.read() as tx:
        assert await get_node(tx, node.uuid) == changed


async def test_updating_an_absent_node_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await update_node(tx, new_uuid(), maintenance=True)


async def test_merging_sets_and_removes_keys_and_leaves_the_others(database: Database) -> None:
    [node] = await add_nodes(database, {"driver_internal_info": {"kept": 1, "gone": 2, "new": 3}})
    async with database.write() as tx:
        merged = await merge_node(tx, node.uuid, "driver_internal_info", {"gone": None, "new": [4], "a": {}})
    assert merged.driver_internal_info == {"kept": 1, "new": [4], "a": {}}


async def test_merging_into_a_field_that_is_no_object_is_refused(database: Database) -> None:
    [node] = await add_nodes(database, {})
    with pytest.raises(InvalidValue):
        async with database.write() as tx:
            await merge_node(tx, node.uuid, "name", {"a": 1})


@pytest.mark.parametrize("text", ["a\x00b", "half \ud800 pair"])
async def test_text_that_one_database_could_not_hold_is_refused_by_both(
    database: Database, text: str
) -> None:
    with pytest.raises(InvalidValue, match="description"):
        await add_nodes(database, {"description": text})


async def test_a_node_in_an_absent_chassis_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        await add_nodes(database, {"chassis_uuid": new_uuid()})


async def test_deleting_a_node_deletes_what_is_below_it_and_only_that(database: Database) -> None:
    doomed, other = await add_nodes(database, {"name": "doomed"}, {"name": "other"})
    async with database.write() as tx:
        for node, mac in ((doomed, "52:54:00:00:00:01"), (other, "52:54:00:00:00:02")):
            await create_port(
                tx, Port(uuid=new_uuid(), address=mac, node_uuid=node.uuid, name=mac, created_at=tx.now())
            )
            await add_trait(tx, node.uuid, "CUSTOM_A")
            await put_inventory(tx, node.uuid, {"cpu": {}}, {})
            await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="verify"), ())
            await add_event(tx, node_uuid=node.uuid, kind="created")
    async with database.write() as tx:
        await delete_node(tx, doomed.uuid)
    async with database.read() as tx:
        assert await find_node(tx, doomed.uuid) is None
        assert await find_port(tx, "52:54:00:00:00:01") is None
        assert await find_port(tx, "52:54:00:00:00:02") is not None
        assert await list_traits(tx, [doomed.uuid, other.uuid]) == {doomed.uuid: [], other.uuid: ["CUSTOM_A"]}
        assert await find_inventory(tx, doomed.uuid) is None
        assert await list_operations(tx, doomed.uuid) == []
        assert len(await list_operations(tx, other.uuid)) == 1
        assert await list_events(tx, doomed.uuid, EVERYTHING) == []
        assert len(await list_events(tx, other.uuid, EVERYTHING)) == 1


async def test_deleting_an_absent_node_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await delete_node(tx, new_uuid())


async def test_a_failing_block_writes_nothing(database: Database) -> None:
    node = a_node()

    async def fail_at_the_end() -> None:
        async with database.write() as tx:
            await create_node(tx, node)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await fail_at_the_end()
    async with database.read() as tx:
        assert await find_node(tx, node.uuid) is None


CHASSIS_UUID = "6f0cfbd8-0e0f-4c5f-8a12-1f6f4c1d0c11"
INSTANCE_UUID = "0b1dd1a2-9c2a-4a25-b4a5-5a5d7d2d3f10"


@pytest.mark.parametrize(
    "fields",
    [
        {"chassis_uuid": CHASSIS_UUID},
        {"instance_uuid": INSTANCE_UUID},
        {"instance_name": "web"},
        {"maintenance": True},
        {"retired": True},
        {"provision_state": "active"},
        {"driver": "redfish"},
        {"resource_class": "gold"},
        {"fault": "power failure"},
        {"conductor_group": "rack9"},
        {"owner": "alice"},
        {"lessee": "bob"},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_a_filter_finds_what_has_its_value(database: Database, fields: dict[str, Any]) -> None:
    async with database.write() as tx:
        await create_chassis(tx, Chassis(uuid=CHASSIS_UUID, created_at=tx.now()))
    stored = {**fields}
    if "provision_state" in stored:
        stored["provision_state"] = ProvisionState(stored["provision_state"])
    await add_nodes(database, {"name": "plain"}, {"name": "wanted", **stored})
    assert await names(database, NodeFilter(**fields)) == ["wanted"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (NodeFilter(), ["a", "b", "c"]),
        (NodeFilter(include_children=True), ["a", "b", "c", "kid"]),
        (NodeFilter(associated=True), ["a"]),
        (NodeFilter(associated=False), ["b", "c"]),
        (NodeFilter(maintenance=False), ["b", "c"]),
        (NodeFilter(sharded=True), ["a", "b"]),
        (NodeFilter(sharded=False), ["c"]),
        (NodeFilter(shards=["s2", "s3"]), ["b"]),
        (NodeFilter(shards=[]), []),
        (NodeFilter(project="p"), ["a", "b"]),
        (NodeFilter(description_contains="50%"), ["a"]),
        (NodeFilter(description_contains="RACK"), ["a", "b"]),
        (NodeFilter(provision_states=["enroll", "error"]), ["b", "c"]),
        (NodeFilter(conductor_group=""), ["b", "c"]),
        (NodeFilter(project="p", sharded=True, maintenance=False), ["b"]),
        (NodeFilter(conductor="host1"), ["a"]),
        (NodeFilter(conductor="host2"), ["b", "c"]),
        (NodeFilter(conductor="nobody"), []),
    ],
    ids=str,
)
async def test_filters_join_by_and(database: Database, filters: NodeFilter, expected: list[str]) -> None:
    await add_nodes(
        database,
        {
            "name": "a",
            "instance_uuid": INSTANCE_UUID,
            "maintenance": True,
            "shard": "s1",
            "owner": "p",
            "description": "50% of rack",
            "provision_state": ProvisionState.ACTIVE,
            "conductor_group": "g",
        },
        {"name": "b", "shard": "s2", "lessee": "p", "description": "500 Rack", "driver": "redfish"},
        {"name": "c", "driver": "redfish"},
    )
    [parent] = await add_nodes(database, {"name": "parent", "parent_node": new_uuid()})
    async with database.write() as tx:
        await delete_node(tx, parent.uuid)
        await create_node(tx, a_node(name="kid", parent_node=new_uuid()))
        for host, group, hardware_type in (("host1", "g", "fake-hardware"), ("host2", "", "redfish")):
            offered = ConductorInterface(
                hardware_type=hardware_type, interface_type=InterfaceType.POWER, interface_name="fake"
            )
            await register_conductor(tx, host, new_uuid(), group, [offered])
    assert await names(database, filters) == expected


async def test_the_parent_filter_finds_the_children(database: Database) -> None:
    [parent] = await add_nodes(database, {"name": "parent"})
    await add_nodes(database, {"name": "kid", "parent_node": parent.uuid}, {"name": "other"})
    assert await names(database, NodeFilter(parent_node=parent.uuid)) == ["kid"]


async def test_rows_hold_json_as_text_and_booleans_as_booleans(database: Database) -> None:
    await add_nodes(database, {"extra": {"a": [1, 2]}, "maintenance": True})
    async with database.read() as tx:
        [row] = await list_node_rows(tx, ["extra", "maintenance", "secure_boot"], NodeFilter(), EVERYTHING)
    assert tuple(row) == ('{"a":[1,2]}', True, None)
    assert row[1] is True


async def test_an_unknown_field_cannot_be_listed(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidValue, match="colour"):
            await list_node_rows(tx, ["colour"], NodeFilter(), EVERYTHING)


@pytest.mark.parametrize("key", ["extra", "driver_info", "colour"])
async def test_lists_are_not_sorted_by_documents_or_unknown_fields(database: Database, key: str) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidValue, match=key):
            await list_node_rows(tx, ["uuid"], NodeFilter(), Page(10, sort_key=key))


async def test_an_unknown_marker_is_not_found(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(NotFound, match="marker"):
            await list_node_rows(tx, ["uuid"], NodeFilter(), Page(10, marker=new_uuid()))


@pytest.mark.parametrize("sort_dir", ["asc", "desc"])
@pytest.mark.parametrize("sort_key", ["id", "uuid", "name", "owner", "maintenance", "secure_boot"])
@pytest.mark.parametrize("limit", [1, 3])
async def test_pages_laid_together_are_the_whole_list(
    database: Database, sort_key: str, sort_dir: Any, limit: int
) -> None:
    choices = [None, "x", "a", "x", None, "B", "b"]
    await add_nodes(
        database,
        *(
            {"name": name and f"{name}{index}", "owner": name, "maintenance": index % 2 == 0,
             "secure_boot": [None, True, False][index % 3]}
            for index, name in enumerate(choices)
        ),
    )  # fmt: skip
    async with database.read() as tx:
        whole = await list_node_rows(
            tx, ["uuid", sort_key], NodeFilter(), Page(100, sort_key=sort_key, sort_dir=sort_dir)
        )
        pages: list[Any] = []
        marker = None
        while True:
            page = Page(limit, marker=marker, sort_key=sort_key, sort_dir=sort_dir)
            rows = await list_node_rows(tx, ["uuid", sort_key], NodeFilter(), page)
            pages += rows
            if len(rows) < limit:
                break
            marker = rows[-1][0]
    assert [tuple(row) for row in pages] == [tuple(row) for row in whole]
    assert len(whole) == len(choices)
    values = [row[1] for row in whole]
    rising = values if sort_dir == "asc" else values[::-1]
    assert rising == sorted(rising, key=lambda value: (value is None, value))


async def test_every_field_of_a_node_has_a_column(database: Database) -> None:
    async with database.read() as tx:
        await list_node_rows(tx, [*Node.__struct_fields__, "id"], NodeFilter(), EVERYTHING)


async def test_get_operation_of_a_node_that_went_is_not_found(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        operation = await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="verify"), ())
        await delete_node(tx, node.uuid)
    async with database.read() as tx:
        with pytest.raises(NotFound):
            await get_operation(tx, operation.uuid)
