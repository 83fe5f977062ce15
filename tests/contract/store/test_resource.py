"""What the store does alike for every resource that has a list of its own; on SQLite and PostgreSQL."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import pytest

from bessemer.domain.allocation import AllocationState
from bessemer.kernel.error import Duplicate, InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store import (
    allocation,
    deploy_template,
    inspection_rule,
    portgroup,
    runbook,
    volume_connector,
    volume_target,
)
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.page import Page
from fakes.clock import FakeClock
from fakes.resource import (
    a_connector,
    a_portgroup,
    a_rule,
    a_runbook,
    a_target,
    a_template,
    an_allocation,
)
from fakes.store import add_nodes

EVERYTHING = Page(1000)
ODD = {"text": "Ünïcode ✓ 'quoted' \\ back", "nested": {"list": [1, None, 2.5, "\u0000 is fine"]}}
STEP = {"interface": "bios", "step": "x", "args": ODD, "priority": 1}

Make = Callable[..., Any]
Call = Callable[..., Awaitable[Any]]
ListRows = Callable[[Transaction, list[str], Page], Awaitable[list[AnyRow]]]


@dataclass
class Resource:
    """The store's functions for one resource, and examples. ``make`` takes a node's UUID first where
    ``is_of_node``."""

    make: Make
    create: Call
    get: Call
    update: Call
    delete: Call
    list_rows: ListRows
    is_of_node: bool
    #: A record in which everything is set.
    full: dict[str, Any]
    change: dict[str, Any]
    #: Field sets of which no two records may have the same values.
    unique: list[dict[str, Any]]
    sort_keys: list[str]
    unsortable: list[str]
    #: Documents that are stored under seal in a record in which everything is set.
    sealed: tuple[str, ...] = ()
    find: Call | None = None
    node_uuids: list[str] = field(default_factory=list)


def rows_of(function: Any, filters: Any = None) -> ListRows:
    async def list_rows(tx: Transaction, fields: list[str], page: Page) -> list[AnyRow]:
        arguments = (fields, page) if filters is None else (fields, filters, page)
        found: list[AnyRow] = await function(tx, *arguments)
        return found

    return list_rows


RESOURCES = {
    "portgroup": Resource(
        make=a_portgroup,
        create=portgroup.create_portgroup,
        get=portgroup.get_portgroup,
        find=portgroup.find_portgroup,
        update=portgroup.update_portgroup,
        delete=portgroup.delete_portgroup,
        list_rows=rows_of(portgroup.list_portgroup_rows, portgroup.PortgroupFilter()),
        is_of_node=True,
        full={
            "name": "bond", "address": "52:54:00:ff:ff:01", "mode": "802.3ad",
            "standalone_ports_supported": False, "physical_network": "a", "category": "c",
            "dynamic_portgroup": True, "properties": ODD, "extra": ODD, "internal_info": ODD,
        },
        change={"mode": "balance-rr", "properties": {"miimon": 100}, "physical_network": None},
        unique=[{"uuid": new_uuid()}, {"name": "bond"}, {"address": "52:54:00:ff:ff:02"}],
        sort_keys=["id", "uuid", "name", "physical_network", "dynamic_portgroup"],
        unsortable=["extra", "properties", "internal_info", "colour"],
    ),
    "volume connector": Resource(
        make=a_connector,
        create=volume_connector.create_volume_connector,
        get=volume_connector.get_volume_connector,
        update=volume_connector.update_volume_connector,
        delete=volume_connector.delete_volume_connector,
        list_rows=rows_of(
            volume_connector.list_volume_connector_rows, volume_connector.VolumeConnectorFilter()
        ),
        is_of_node=True,
        full={"type": "ip", "connector_id": "192.0.2.1", "extra": ODD},
        change={"type": "mac", "extra": {}},
        unique=[{"uuid": new_uuid()}, {"type": "ip", "connector_id": "192.0.2.2"}],
        sort_keys=["id", "uuid", "type", "connector_id"],
        unsortable=["extra", "colour"],
    ),
    "volume target": Resource(
        make=a_target,
        create=volume_target.create_volume_target,
        get=volume_target.get_volume_target,
        update=volume_target.update_volume_target,
        delete=volume_target.delete_volume_target,
        list_rows=rows_of(volume_target.list_volume_target_rows, volume_target.VolumeTargetFilter()),
        is_of_node=True,
        full={
            "volume_type": "fibre_channel", "boot_index": 0, "volume_id": "id", "properties": ODD,
            "extra": ODD,
        },
        change={"boot_index": 7, "properties": {"target_lun": 1}},
        unique=[{"uuid": new_uuid()}, {"boot_index": 3}],
        sort_keys=["id", "uuid", "boot_index", "volume_type"],
        unsortable=["extra", "properties", "colour"],
    ),
    "allocation": Resource(
        make=an_allocation,
        create=allocation.create_allocation,
        get=allocation.get_allocation,
        find=allocation.find_allocation,
        update=allocation.update_allocation,
        delete=allocation.delete_allocation,
        list_rows=rows_of(allocation.list_allocation_rows, allocation.AllocationFilter()),
        is_of_node=False,
        full={
            "name": "web", "resource_class": "gold", "traits": ("CUSTOM_A", "CUSTOM_B"),
            "candidate_nodes": (new_uuid(), new_uuid()), "state": AllocationState.ERROR,
            "last_error": "no node", "extra": ODD, "owner": "p",
        },
        change={"name": "other", "extra": {"a": 1}},
        unique=[{"uuid": new_uuid()}, {"name": "web"}],
        sort_keys=["id", "uuid", "name", "resource_class", "state", "owner"],
        unsortable=["extra", "traits", "candidate_nodes", "colour"],
    ),
    "deploy template": Resource(
        make=a_template,
        create=deploy_template.create_deploy_template,
        get=deploy_template.get_deploy_template,
        find=deploy_template.find_deploy_template,
        update=deploy_template.update_deploy_template,
        delete=deploy_template.delete_deploy_template,
        list_rows=rows_of(deploy_template.list_deploy_template_rows),
        is_of_node=False,
        full={"name": "CUSTOM_FULL", "steps": (STEP, {**STEP, "step": "y"}), "extra": ODD},
        change={"name": "CUSTOM_OTHER", "steps": (STEP,)},
        unique=[{"uuid": new_uuid()}, {"name": "CUSTOM_SAME"}],
        sort_keys=["id", "uuid", "name", "created_at"],
        unsortable=["extra", "steps", "colour"],
    ),
    "runbook": Resource(
        make=a_runbook,
        create=runbook.create_runbook,
        get=runbook.get_runbook,
        find=runbook.find_runbook,
        update=runbook.update_runbook,
        delete=runbook.delete_runbook,
        list_rows=rows_of(runbook.list_runbook_rows, runbook.RunbookFilter()),
        is_of_node=False,
        full={
            "name": "update", "steps": (STEP,), "description": "d", "disable_ramdisk": True, "owner": "p",
            "extra": ODD,
        },
        change={"owner": None, "public": True, "description": None},
        unique=[{"uuid": new_uuid()}, {"name": "same"}],
        sort_keys=["id", "uuid", "name", "owner", "public"],
        unsortable=["extra", "steps", "colour"],
    ),
    "inspection rule": Resource(
        make=a_rule,
        create=inspection_rule.create_inspection_rule,
        get=inspection_rule.get_inspection_rule,
        update=inspection_rule.update_inspection_rule,
        delete=inspection_rule.delete_inspection_rule,
        list_rows=rows_of(inspection_rule.list_inspection_rule_rows),
        is_of_node=False,
        full={
            "description": "d", "priority": 9999, "sensitive": True,
            "conditions": ({"op": "is-true", "args": [True]},), "actions": ({"op": "fail", "args": ODD},),
        },
        change={"priority": 5, "conditions": ()},
        unique=[{"uuid": new_uuid()}],
        sort_keys=["id", "uuid", "priority", "description", "sensitive"],
        unsortable=["conditions", "actions", "colour"],
        sealed=("conditions", "actions"),
    ),
}  # fmt: skip


@pytest.fixture(params=RESOURCES)
async def resource(request: pytest.FixtureRequest, database: Database) -> Resource:
    """Each resource in turn; those that belong to nodes have two of them."""
    found = RESOURCES[request.param]
    found.node_uuids = [node.uuid for node in await add_nodes(database, {}, {})]
    return found


def make(resource: Resource, **fields: Any) -> Any:
    if not resource.is_of_node:
        return resource.make(**fields)
    return resource.make(**{"node_uuid": resource.node_uuids[0], **fields})


async def add(database: Database, resource: Resource, *many_fields: dict[str, Any]) -> list[Any]:
    records = [make(resource, **fields) for fields in many_fields]
    async with database.write() as tx:
        for record in records:
            await resource.create(tx, record)
    return records


async def test_a_record_comes_back_as_it_was_stored(database: Database, resource: Resource) -> None:
    full, plain = await add(database, resource, resource.full, {})
    async with database.read() as tx:
        assert await resource.get(tx, full.uuid) == full
        assert await resource.get(tx, plain.uuid) == plain


async def test_a_record_is_found_by_uuid_in_either_case_and_by_name(
    database: Database, resource: Resource
) -> None:
    [record] = await add(database, resource, resource.full)
    async with database.read() as tx:
        if resource.find is None:
            assert await resource.get(tx, record.uuid.upper()) == record
            return
        assert await resource.find(tx, record.uuid.upper()) == record
        assert await resource.find(tx, record.name) == record
        assert await resource.find(tx, "nobody") is None
        assert await resource.find(tx, new_uuid()) is None


async def test_an_absent_record_is_not_found(database: Database, resource: Resource) -> None:
    calls = [resource.get, partial(resource.update, **resource.change), resource.delete]
    for call in calls:
        with pytest.raises(NotFound, match="could not be found"):
            async with database.write() as tx:
                await call(tx, new_uuid())


async def test_a_taken_value_is_refused_by_name_and_nothing_is_written(
    database: Database, resource: Resource
) -> None:
    for fields in resource.unique:
        [first] = await add(database, resource, fields)
        with pytest.raises(Duplicate) as refused:
            await add(database, resource, fields)
        for name, value in fields.items():
            assert f"{name} '{value}'" in refused.value.message
        async with database.read() as tx:
            assert len(await resource.list_rows(tx, ["uuid"], EVERYTHING)) == 1
        async with database.write() as tx:
            await resource.delete(tx, first.uuid)


async def test_a_change_into_a_taken_value_is_refused(database: Database, resource: Resource) -> None:
    for fields in resource.unique:
        if "uuid" in fields:
            continue
        first, second = await add(database, resource, fields, {})
        with pytest.raises(Duplicate):
            async with database.write() as tx:
                await resource.update(tx, second.uuid, **fields)
        async with database.write() as tx:
            assert await resource.get(tx, second.uuid) == second
            await resource.delete(tx, first.uuid)


async def test_fields_change_and_the_others_stay(
    database: Database, resource: Resource, clock: FakeClock
) -> None:
    [record] = await add(database, resource, resource.full)
    clock.advance(5)
    async with database.write() as tx:
        changed = await resource.update(tx, record.uuid, **resource.change)
        expected = msgspec.structs.replace(record, updated_at=tx.now(), **resource.change)
    assert changed == expected
    async with database.read() as tx:
        assert await resource.get(tx, record.uuid) == expected


async def test_a_deleted_record_is_gone_and_its_neighbours_stay(
    database: Database, resource: Resource
) -> None:
    doomed, other = await add(database, resource, {}, {})
    async with database.write() as tx:
        await resource.delete(tx, doomed.uuid)
    async with database.read() as tx:
        assert [row.uuid for row in await resource.list_rows(tx, ["uuid"], EVERYTHING)] == [other.uuid]


async def test_every_field_has_a_column_and_documents_are_text(
    database: Database, resource: Resource
) -> None:
    [record] = await add(database, resource, resource.full)
    fields = list(record.__struct_fields__)
    async with database.read() as tx:
        [row] = await resource.list_rows(tx, [*fields, "id"], EVERYTHING)
    for name in fields:
        value, stored = getattr(record, name), getattr(row, name)
        if name in resource.sealed:
            assert '"sealed:1:' in stored
        elif isinstance(value, dict | tuple):
            assert msgspec.json.decode(stored) == msgspec.json.decode(msgspec.json.encode(value))
        else:
            assert stored == value
            assert isinstance(stored, bool) == isinstance(value, bool)


async def test_a_record_of_an_absent_node_is_refused(database: Database, resource: Resource) -> None:
    if not resource.is_of_node:
        assert "node_uuid" not in resource.full
        return
    with pytest.raises(NotFound):
        await add(database, resource, {"node_uuid": new_uuid()})


async def test_unknown_fields_sort_keys_and_markers_are_refused(
    database: Database, resource: Resource
) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidValue, match="colour"):
            await resource.list_rows(tx, ["colour"], EVERYTHING)
        with pytest.raises(NotFound, match="marker"):
            await resource.list_rows(tx, ["uuid"], Page(10, marker=new_uuid()))
        for key in resource.unsortable:
            with pytest.raises(InvalidValue, match=key):
                await resource.list_rows(tx, ["uuid"], Page(10, sort_key=key))


@pytest.mark.parametrize("sort_dir", ["asc", "desc"])
async def test_pages_laid_together_are_the_whole_list(
    database: Database, resource: Resource, sort_dir: Any
) -> None:
    await add(database, resource, {}, resource.full, *({} for _ in range(3)))
    async with database.read() as tx:
        for key in resource.sort_keys:
            whole = await resource.list_rows(tx, ["uuid"], Page(100, sort_key=key, sort_dir=sort_dir))
            assert len(whole) == 5
            pages: list[AnyRow] = []
            marker = None
            for _ in range(3):
                page = Page(2, marker=marker, sort_key=key, sort_dir=sort_dir)
                pages += await resource.list_rows(tx, ["uuid"], page)
                marker = pages[-1].uuid
            assert [row.uuid for row in pages] == [row.uuid for row in whole]
