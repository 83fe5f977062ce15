"""Lists of nodes: descriptions on both databases, and pages while nodes change."""

from typing import Any

import pytest

from bessemer.store.database import Database, Transaction
from bessemer.store.node import update_node
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from fakes.store import add_nodes


@pytest.mark.parametrize(
    ("part", "is_found"),
    [("Rack ÜBER", True), ("rack ÜBER", True), ("ÜBER", True), ("RACK", True), ("rack über", False)],
)
async def test_a_description_is_found_by_its_own_words(database: Database, part: str, is_found: bool) -> None:
    await add_nodes(database, {"description": "In Rack ÜBER 7"})
    async with database.read() as tx:
        rows = await list_node_rows(tx, ["uuid"], NodeFilter(description_contains=part), Page(5))
    assert len(rows) == is_found


class Changing:
    """A transaction to read in, between whose statements somebody else changes nodes."""

    def __init__(self, tx: Transaction, change: Any) -> None:
        self._tx, self._change, self._count = tx, change, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        found = await self._tx.execute(statement, parameters)
        self._count += 1
        if self._count == 2:  # the marker, the first stretch
            await self._change()
        return found


async def test_a_node_that_changes_while_a_page_is_read_is_in_it_once(database: Database) -> None:
    nodes = await add_nodes(
        database,
        *({"name": name, "resource_class": kind} for name, kind in zip("abcde", "ggghh", strict=True)),
    )

    async def change() -> None:
        async with database.write() as tx:
            await update_node(tx, nodes[1].uuid, resource_class="gz")

    async with database.read() as tx:
        page = Page(4, marker=nodes[0].uuid, sort_key="resource_class")
        changing: Any = Changing(tx, change)
        rows = await list_node_rows(changing, ["name", "uuid"], NodeFilter(), page)
    assert [row[0] for row in rows] == ["b", "c", "d", "e"]
