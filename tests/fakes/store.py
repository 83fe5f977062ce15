"""Things put into a database for a test."""

from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.node import create_node

LONG_AGO = "2026-01-01T00:00:00.000000+00:00"


def a_node(**fields: Any) -> Node:
    """A node of fake hardware with what ``fields`` say."""
    return Node(**{"uuid": new_uuid(), "driver": "fake-hardware", "created_at": LONG_AGO, **fields})


async def add_nodes(database: Database, *many_fields: dict[str, Any]) -> list[Node]:
    """Store one node for each set of fields, in this order."""
    nodes = [a_node(**fields) for fields in many_fields]
    async with database.write() as tx:
        for node in nodes:
            await create_node(tx, node)
    return nodes
