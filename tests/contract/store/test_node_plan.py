"""Lists of nodes go by an index: each filter, and paging by the order that is kept when none is asked for."""

from typing import Any

import pytest
from sqlalchemy import text

from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from fakes.explaining import ExplainingTransaction
from fakes.store import add_nodes

FILTERS: dict[str, Any] = {
    "uuids": [new_uuid()],
    "chassis_uuid": new_uuid(),
    "instance_uuid": new_uuid(),
    "instance_name": "web",
    "provision_state": "active",
    "provision_states": ["active", "error"],
    "driver": "redfish",
    "resource_class": "gold",
    "fault": "power failure",
    "conductor_group": "rack9",
    "owner": "alice",
    "lessee": "bob",
    "project": "alice",
    "shards": ["a", "b"],
    "parent_node": new_uuid(),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_finds_its_nodes_by_an_index(database: Database, name: str) -> None:
    plans = await explained(database, NodeFilter(**{name: FILTERS[name]}), Page(100))
    assert [plan.lines for plan in plans if "nodes" in plan.whole_tables()] == []


async def test_the_next_page_is_found_without_reading_those_before(database: Database) -> None:
    nodes = await add_nodes(database, {}, {})
    plans = await explained(database, NodeFilter(include_children=True), Page(1, marker=nodes[0].uuid))
    assert [plan.lines for plan in plans if "nodes" in plan.whole_tables()] == []


async def explained(database: Database, filters: NodeFilter, page: Page) -> Any:
    async with database.write() as tx:
        if tx.is_postgresql:
            # A few rows are read from end to end whatever indexes there are.
            await tx.execute(text("SET LOCAL enable_seqscan = off"))
        explaining = ExplainingTransaction(tx)
        await list_node_rows(explaining, ["uuid", "name"], filters, page)  # type: ignore[arg-type]
    assert explaining.plans
    return explaining.plans
