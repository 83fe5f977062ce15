"""Shards, and nodes below nodes; the same on SQLite and PostgreSQL."""

from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.node import list_child_nodes
from bessemer.store.shard import count_shards
from fakes.store import add_nodes


async def test_nodes_are_counted_by_shard_and_the_largest_comes_first(database: Database) -> None:
    async with database.read() as tx:
        assert await count_shards(tx) == []
    await add_nodes(
        database, {"shard": "b"}, {}, {"shard": "a"}, {"shard": "b", "parent_node": new_uuid()}, {}
    )
    async with database.read() as tx:
        assert await count_shards(tx) == [(None, 2), ("b", 2), ("a", 1)]


async def test_the_children_of_a_node_come_oldest_first(database: Database) -> None:
    [parent] = await add_nodes(database, {})
    kids = await add_nodes(database, {"parent_node": parent.uuid}, {"parent_node": parent.uuid})
    await add_nodes(database, {"parent_node": new_uuid()})
    async with database.read() as tx:
        assert await list_child_nodes(tx, parent.uuid) == kids
        assert await list_child_nodes(tx, kids[0].uuid) == []
