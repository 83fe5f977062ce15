"""Columns read together are the same as those read one by one, on both databases."""

import json
from typing import Any

import pytest

from bessemer.store.database import Database
from bessemer.store.node import NODE
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from bessemer.store.table import NODES
from bessemer.store.table.column import is_document
from bessemer.store.together import together
from fakes.store import add_nodes

ODD = [
    "", "null", "}", "{}", '"quoted"', "back\\slash", "100 %s", "a\tb\nc\x01\x7f", "Grüße, 機械 🙂", "\u2028",
]  # fmt: skip


async def read(database: Database, *fields: str) -> list[dict[str, Any]]:
    """Those fields of all nodes, read one by one, and compared with the same read together."""
    async with database.read() as tx:
        apart = await list_node_rows(tx, fields, NodeFilter(), Page(100))
        joined = await list_node_rows(tx, ["uuid", together(fields)], NodeFilter(), Page(100))
    found = [
        {
            field: json.loads(held) if held is not None and is_document(NODES.c[field]) else held
            for field, held in zip(fields, row, strict=True)
        }
        for row in apart
    ]
    assert [json.loads(f"{{{text}}}") for _, text in joined] == found
    return found


async def test_all_columns_of_a_node_can_be_read_together(database: Database) -> None:
    """More than a function takes arguments on PostgreSQL."""
    await add_nodes(database, {"name": "n", "maintenance": True, "extra": {"a": {"b": [1, None]}}}, {})
    one, other = await read(database, *NODE.fields)
    assert (one["maintenance"], other["maintenance"], other["automated_clean"]) == (True, False, None)
    assert one["extra"] == {"a": {"b": [1, None]}}


@pytest.mark.parametrize("fields", [("description",), ("description", "name"), ("protected", "description")])
async def test_any_text_comes_through(database: Database, fields: tuple[str, ...]) -> None:
    await add_nodes(database, *({"description": text, "extra": {text: text}} for text in ODD), {})
    found = await read(database, *fields, "extra")
    assert [node["description"] for node in found] == [*ODD, None]


@pytest.mark.parametrize("fields", [("protected",), ("extra",), ("network_data", "retired"), ("id",)])
async def test_any_kind_alone_can_be_read_together(database: Database, fields: tuple[str, ...]) -> None:
    await add_nodes(database, {})
    assert len(await read(database, *fields)) == 1
