"""Whoever walks a list by pages, while nodes come and go, meets each that stays exactly once, in order."""

import random
from typing import Any

import pytest

from bessemer.domain.node import Node
from bessemer.store.database import Database, Transaction
from bessemer.store.node import create_node, delete_node
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from fakes.store import a_node, add_nodes

STAYING, PASSING, LIMIT = 40, 12, 7
MOMENTS = ["2026-01-01", "2026-01-02", "2026-01-03"]

#: Sort keys with few values, and none at all where that may be: with an index over all nodes, with one over
#: those that have a value, and without; text and booleans.
VALUES: dict[str, list[Any]] = {
    "resource_class": [None, "gold", "Gold", "silver"],
    "provision_updated_at": [None, *MOMENTS],
    "created_at": MOMENTS,
    "owner": [None, "a", "b"],
    "updated_at": [None, *MOMENTS],
    "maintenance": [False, True],
    "secure_boot": [None, False, True],
}
KEYS = ("id", "uuid", "name", *VALUES)


class Comings:
    """Nodes with values drawn by ``dice``, some of which come and go."""

    def __init__(self, database: Database, dice: random.Random) -> None:
        self.database = database
        self.dice = dice
        self.passing: list[str] = []
        self.count = 0

    def values(self) -> dict[str, Any]:
        self.count += 1
        name = f"node-{self.dice.randrange(1000)}-{self.count}" if self.dice.random() < 0.6 else None
        return {"name": name, **{key: self.dice.choice(among) for key, among in VALUES.items()}}

    async def go_on(self, kept: str | None) -> None:
        """One goes when there are enough of them, though never the one ``kept``, and one comes."""
        async with self.database.write() as tx:
            if len(self.passing) >= PASSING:
                gone = self.dice.choice([uuid for uuid in self.passing if uuid != kept])
                await delete_node(tx, gone)
                self.passing.remove(gone)
            self.passing.append((await create_node(tx, a_node(**self.values()))).uuid)


class Meddling:
    """A transaction before each statement of which a node comes and another one goes."""

    def __init__(self, tx: Transaction, comings: Comings, kept: str | None) -> None:
        self._tx = tx
        self._comings = comings
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def execute(self, *arguments: Any, **more: Any) -> Any:
        await self._comings.go_on(self._kept)
        return await self._tx.execute(*arguments, **more)


async def walk(comings: Comings, key: str, sort_dir: Any) -> list[str]:
    """What is met, page by page."""
    met: list[str] = []
    while True:
        marker = met[-1] if met else None
        page = Page(LIMIT, marker, key, sort_dir)
        async with comings.database.read() as tx:
            meddling: Any = Meddling(tx, comings, marker)
            found = await list_node_rows(meddling, ["uuid"], NodeFilter(), page)
        met += [row[0] for row in found]
        if len(found) < LIMIT:
            return met


def in_order(nodes: list[Node], key: str, sort_dir: str) -> list[str]:
    """As a list has them: nulls last, ties by age; or all of it the other way round."""

    def place(at: int) -> Any:
        value = at if key == "id" else getattr(nodes[at], key)
        return (value is None, value if value is not None else 0, at)

    ordered = [nodes[at].uuid for at in sorted(range(len(nodes)), key=place)]
    return ordered if sort_dir == "asc" else ordered[::-1]


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_node_that_stays_is_met_once_and_in_order(database: Database, seed: int) -> None:
    comings = Comings(database, random.Random(seed))
    staying = await add_nodes(database, *(comings.values() for _ in range(STAYING)))
    uuids = {node.uuid for node in staying}
    for key in KEYS:
        for sort_dir in ("asc", "desc"):
            met = [uuid for uuid in await walk(comings, key, sort_dir) if uuid in uuids]
            assert met == in_order(staying, key, sort_dir), (key, sort_dir)
