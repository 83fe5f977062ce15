"""Volume connectors and targets in the store; the same on SQLite and PostgreSQL."""

from typing import Any

import pytest

from bessemer.kernel.error import Duplicate
from bessemer.store.database import Database
from bessemer.store.node import delete_node
from bessemer.store.page import Page
from bessemer.store.volume_connector import (
    VolumeConnectorFilter,
    create_volume_connector,
    list_volume_connector_rows,
    list_volume_connectors_of,
)
from bessemer.store.volume_target import (
    VolumeTargetFilter,
    create_volume_target,
    delete_volume_targets_of,
    list_volume_target_rows,
    list_volume_targets_of,
    update_volume_target,
)
from fakes.resource import a_connector, a_target
from fakes.store import add_nodes

EVERYTHING = Page(100)


async def test_the_lists_can_be_limited_to_a_node_and_to_a_project(database: Database) -> None:
    nodes = await add_nodes(database, {"owner": "p"}, {"lessee": "p"}, {"owner": "q"})
    connectors = [a_connector(node.uuid) for node in nodes]
    targets = [a_target(node.uuid) for node in nodes]
    async with database.write() as tx:
        for connector, target in zip(connectors, targets, strict=True):
            await create_volume_connector(tx, connector)
            await create_volume_target(tx, target)

    async def listed(**filters: Any) -> tuple[list[str], list[str]]:
        async with database.read() as tx:
            some = await list_volume_connector_rows(
                tx, ["uuid"], VolumeConnectorFilter(**filters), EVERYTHING
            )
            others = await list_volume_target_rows(tx, ["uuid"], VolumeTargetFilter(**filters), EVERYTHING)
        return [row.uuid for row in some], [row.uuid for row in others]

    def uuids(*numbers: int) -> tuple[list[str], list[str]]:
        return [connectors[n].uuid for n in numbers], [targets[n].uuid for n in numbers]

    assert await listed() == uuids(0, 1, 2)
    assert await listed(node_uuid=nodes[1].uuid) == uuids(1)
    assert await listed(project="p") == uuids(0, 1)
    assert await listed(project="p", node_uuid=nodes[2].uuid) == ([], [])


async def test_the_targets_of_a_node_come_with_the_boot_volume_first(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    async with database.write() as tx:
        for index in (2, 0, 1):
            await create_volume_target(tx, a_target(node.uuid, boot_index=index))
        await create_volume_target(tx, a_target(other.uuid, boot_index=0))
        connector = await create_volume_connector(tx, a_connector(node.uuid))
        assert [one.boot_index for one in await list_volume_targets_of(tx, node.uuid)] == [0, 1, 2]
        assert await list_volume_connectors_of(tx, node.uuid) == [connector]


async def test_two_nodes_may_use_the_same_boot_index(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    async with database.write() as tx:
        await create_volume_target(tx, a_target(node.uuid, boot_index=0))
        moved = await create_volume_target(tx, a_target(other.uuid, boot_index=0))
    with pytest.raises(Duplicate, match="node_uuid"):
        async with database.write() as tx:
            await update_volume_target(tx, moved.uuid, node_uuid=node.uuid)


async def test_tear_down_clears_the_targets_of_its_node_only(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    async with database.write() as tx:
        for owner in (node, node, other):
            await create_volume_target(tx, a_target(owner.uuid))
        assert await delete_volume_targets_of(tx, node.uuid) == 2
        assert await delete_volume_targets_of(tx, node.uuid) == 0
        assert len(await list_volume_targets_of(tx, other.uuid)) == 1


async def test_volumes_go_with_their_node(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        await create_volume_target(tx, a_target(node.uuid))
        await create_volume_connector(tx, a_connector(node.uuid))
        await delete_node(tx, node.uuid)
        assert await list_volume_target_rows(tx, ["uuid"], VolumeTargetFilter(), EVERYTHING) == []
        assert await list_volume_connector_rows(tx, ["uuid"], VolumeConnectorFilter(), EVERYTHING) == []
