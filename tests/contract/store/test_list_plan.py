"""How each list is read from a large fleet: by which index, and at what cost wherever the page is.

Plans are those of the database's own choice, with the statistics of the fleet; nothing is switched off.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest_asyncio
from sqlalchemy import Text

from bessemer.domain.allocation import by_name
from bessemer.store.allocation import AllocationFilter, create_allocation, list_allocation_rows
from bessemer.store.allocation_claim import claim_candidate
from bessemer.store.chassis import list_chassis_rows
from bessemer.store.database import Database
from bessemer.store.event import list_events
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.operation import list_operations
from bessemer.store.page import Page
from bessemer.store.port import PortFilter, list_port_rows
from bessemer.store.portgroup import PortgroupFilter, list_portgroup_rows
from bessemer.store.table import NODES
from bessemer.store.table.column import TEXT
from bessemer.store.volume_connector import VolumeConnectorFilter, list_volume_connector_rows
from bessemer.store.volume_target import VolumeTargetFilter, list_volume_target_rows
from fakes.explaining import ExplainingTransaction, Plan
from fakes.large_fleet import OLD, LargeFleet, fill
from fakes.resource import an_allocation

NODE_COUNT, LIMIT = 1500, 20
#: Rows looked at for one that is on a page, or steps of SQLite's machine.
MOST_PER_ROW = {"sqlite": 60, "postgresql": 25}
FIELDS = ["uuid", "name", "provision_state", "driver_info"]

List = Callable[[Any, Page], Awaitable[Any]]


@pytest_asyncio.fixture
async def fleet(database: Database) -> LargeFleet:
    return await fill(database, NODE_COUNT)


async def plans_of(database: Database, url: str, read: List, page: Page) -> tuple[list[Plan], Any]:
    """How the page is read, without the look for its marker; and what is on it."""
    async with database.write() as tx:
        explaining = ExplainingTransaction(tx, url)
        rows = await read(explaining, page)
    return [plan for plan in explaining.plans if "LIMIT" in plan.statement], rows


def nodes(**filters: Any) -> List:
    return lambda tx, page: list_node_rows(tx, FIELDS, NodeFilter(**filters), page)


#: Filters of nodes, and the index each goes by. PostgreSQL goes by the id instead where so many nodes fulfil
#: the filter that the first page is full at once.
BY_INDEX: dict[str, tuple[dict[str, Any], str]] = {
    "all": ({}, "id"),
    "with children": ({"include_children": True}, "id"),
    "instance name": ({"instance_name": "instance-100"}, "ix_nodes_instance_name_id"),
    "associated": ({"associated": True}, "ix_nodes_associated"),
    "not associated": ({"associated": False}, "uq_nodes_instance_uuid"),
    "in maintenance": ({"maintenance": True}, "ix_nodes_maintenance"),
    "not in maintenance": ({"maintenance": False}, "id"),
    "retired": ({"retired": True}, "ix_nodes_retired"),
    "not retired": ({"retired": False}, "id"),
    "provision state": ({"provision_state": "enroll"}, "ix_nodes_provision_state_id"),
    "frequent state": ({"provision_state": "active"}, "ix_nodes_provision_state_id"),
    "driver": ({"driver": "ipmi"}, "ix_nodes_driver_id"),
    "resource class": ({"resource_class": "class-3"}, "ix_nodes_resource_class_id"),
    "fault": ({"fault": "power failure"}, "ix_nodes_fault_id"),
    "conductor group": ({"conductor_group": "group-1"}, "ix_nodes_conductor_group_id"),
    "owner": ({"owner": "project-3"}, "ix_nodes_owner_id"),
    "lessee": ({"lessee": "project-3"}, "ix_nodes_lessee_id"),
    "one shard": ({"shards": ["shard-3"]}, "ix_nodes_shard_id"),
    "without shard": ({"sharded": False}, "ix_nodes_shard_id"),
    "state and class": (
        {"provision_state": "available", "resource_class": "class-3"},
        "ix_nodes_provision_state_resource_class_id",
    ),
}  # fmt: skip


async def test_a_filtered_list_of_nodes_goes_by_the_index_for_it(
    database: Database, database_url: str, fleet: LargeFleet, family: str
) -> None:
    cases = dict(BY_INDEX)
    cases["parent"] = ({"parent_node": fleet.nodes[48]}, "ix_nodes_parent_node_id")
    cases["chassis"] = ({"chassis_uuid": fleet.chassis[0]}, "ix_nodes_chassis_uuid_id")
    cases["some nodes"] = ({"uuids": fleet.nodes[10:13]}, "uq_nodes_uuid")
    for name, (filters, index) in cases.items():
        [plan], rows = await plans_of(database, database_url, nodes(**filters), Page(LIMIT))
        assert rows, name
        allowed = {index} if family == "sqlite" else {index, "id"}
        assert plan.indexes(), (name, plan.lines)
        assert plan.indexes() <= allowed, (name, plan.lines)
        assert not plan.whole_tables() or index == "id", (name, plan.lines)


#: Sort keys with an index.
SORTED = (
    "id", "uuid", "name", "instance_uuid", "provision_state", "resource_class", "driver", "conductor_group",
    "shard", "created_at", "provision_updated_at", "chassis_uuid", "parent_node", "fault", "instance_name",
    "owner", "lessee",
)  # fmt: skip

#: Those without: all nodes are looked at, and the page is what comes first of them; with 10,000 nodes that is
#: 12 ms on SQLite. An index would cost more at each change of a node (``updated_at``), or is never asked for.
LOOKED_THROUGH = {
    "allocation_uuid", "automated_clean", "boot_mode", "console_enabled", "description", "disable_power_off",
    "health", "inspection_finished_at", "inspection_started_at", "last_error", "maintenance",
    "maintenance_reason", "power_state", "protected", "protected_reason", "reservation", "retired",
    "retired_reason", "secure_boot", "target_power_state", "target_provision_state", "updated_at",
}  # fmt: skip


def test_every_sort_key_of_nodes_is_known_to_have_an_index_or_none() -> None:
    documents = {
        column.name for column in NODES.c if isinstance(column.type, Text) and column.type is not TEXT
    }
    sortable = {column.name for column in NODES.c} - documents
    interfaces = {name for name in sortable if name.endswith("_interface")}
    assert sortable - interfaces == set(SORTED) | LOOKED_THROUGH


LISTS: dict[str, tuple[Callable[[LargeFleet], List], tuple[str, ...]]] = {
    "nodes": (lambda _: nodes(), SORTED),
    "nodes in a state": (lambda _: nodes(provision_state="active"), ("id",)),
    "nodes of a class": (lambda _: nodes(resource_class="class-3"), ("id",)),
    "nodes of a group": (lambda _: nodes(conductor_group="group-1"), ("id",)),
    "nodes with instances": (lambda _: nodes(associated=True), ("id",)),
    "ports": (
        lambda _: lambda tx, page: list_port_rows(tx, ["uuid"], PortFilter(), page),
        ("id", "uuid", "address", "name"),
    ),
    "port groups": (
        lambda _: lambda tx, page: list_portgroup_rows(tx, ["uuid"], PortgroupFilter(), page),
        ("id", "uuid", "address", "name"),
    ),
    "allocations": (
        lambda _: lambda tx, page: list_allocation_rows(tx, ["uuid"], AllocationFilter(), page),
        ("id", "uuid", "name", "node_uuid", "resource_class", "state", "owner"),
    ),
    "allocations in a state": (
        lambda _: lambda tx, page: list_allocation_rows(tx, ["uuid"], AllocationFilter(state="error"), page),
        ("id",),
    ),
    "volume connectors": (
        lambda _: lambda tx, page: list_volume_connector_rows(tx, ["uuid"], VolumeConnectorFilter(), page),
        ("id", "uuid"),
    ),
    "volume targets": (
        lambda _: lambda tx, page: list_volume_target_rows(tx, ["uuid"], VolumeTargetFilter(), page),
        ("id", "uuid"),
    ),
    "chassis": (lambda _: lambda tx, page: list_chassis_rows(tx, ["uuid"], page), ("id", "uuid")),
    "history": (lambda fleet: lambda tx, page: list_events(tx, fleet.nodes[OLD], page), ("id",)),
    "operations": (
        lambda fleet: lambda tx, page: list_operations(tx, fleet.nodes[OLD], page=page),
        ("id",),
    ),
}


async def test_a_page_in_the_middle_costs_what_the_first_does(
    database: Database, database_url: str, fleet: LargeFleet, family: str
) -> None:
    for name, (make, keys) in LISTS.items():
        for key in keys:
            for sort_dir in ("asc", "desc"):
                case = (name, key, sort_dir)
                page: dict[str, Any] = {"sort_key": key, "sort_dir": sort_dir}
                read = make(fleet)
                first, rows = await plans_of(database, database_url, read, Page(LIMIT, **page))
                _, most = await plans_of(database, database_url, read, Page(len(rows) * 12, **page))
                marker = uuid_of(most[len(most) // 2])
                middle, _ = await plans_of(database, database_url, read, Page(LIMIT, marker=marker, **page))
                for plans in (first, middle):
                    # A fraction of the fleet, wherever the page is. Some rows are passed over: nodes with
                    # parents, those with another value where PostgreSQL goes by the id.
                    cost = sum(plan.cost for plan in plans)
                    assert 0 < cost <= LIMIT * MOST_PER_ROW[family], (case, plans)
                    if family == "sqlite":  # PostgreSQL also puts in order what is less than a page
                        assert not any(plan.is_sorting() for plan in plans), (case, plans)


async def test_what_is_below_nodes_is_found_by_its_node(
    database: Database, database_url: str, fleet: LargeFleet
) -> None:
    node = fleet.nodes[OLD + 3]
    reads: dict[str, List] = {
        "ix_ports_node_uuid": lambda tx, page: list_port_rows(tx, ["uuid"], PortFilter(node_uuid=node), page),
        "ix_portgroups_node_uuid": lambda tx, page: list_portgroup_rows(
            tx, ["uuid"], PortgroupFilter(node_uuid=node), page
        ),
        "uq_allocations_node_uuid": lambda tx, page: list_allocation_rows(
            tx, ["uuid"], AllocationFilter(node_uuid=node), page
        ),
        "ix_volume_connectors_node_uuid": lambda tx, page: list_volume_connector_rows(
            tx, ["uuid"], VolumeConnectorFilter(node_uuid=node), page
        ),
        "ix_events_node_uuid_id": lambda tx, page: list_events(tx, node, page),
        "ix_operations_node_uuid_id": lambda tx, page: list_operations(tx, node, page=page),
    }
    for index, read in reads.items():
        [plan], _ = await plans_of(database, database_url, read, Page(LIMIT))
        assert plan.indexes() == {index}, plan.lines


async def test_candidates_of_an_allocation_are_found_by_state_and_class(
    database: Database, fleet: LargeFleet
) -> None:
    allocation = an_allocation(resource_class="class-4")
    async with database.write() as tx:
        await create_allocation(tx, allocation)
        explaining: Any = ExplainingTransaction(tx)
        settled = await claim_candidate(explaining, allocation.uuid, arrange=by_name)
    assert settled.node_uuid in fleet.nodes
    found = [plan for plan in explaining.plans if plan.statement.startswith("SELECT nodes.uuid, nodes.name")]
    assert [plan.indexes() for plan in found] == [{"ix_nodes_provision_state_resource_class_id"}], found


async def test_a_list_that_looks_through_all_nodes_would_be_noticed(
    database: Database, database_url: str, fleet: LargeFleet
) -> None:
    read = nodes(description_contains="no such text")
    [plan], _ = await plans_of(database, database_url, read, Page(LIMIT))
    assert plan.cost >= NODE_COUNT
    [plan], _ = await plans_of(database, database_url, nodes(), Page(LIMIT, sort_key="disable_power_off"))
    assert plan.is_sorting()


def uuid_of(row: Any) -> str:
    return str(row.uuid if hasattr(row, "uuid") else row[0])
