"""Port groups in the store; the same on SQLite and PostgreSQL."""

from typing import Any

import pytest

from bessemer.kernel.error import Conflict, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from bessemer.store.node import delete_node
from bessemer.store.page import Page
from bessemer.store.port import create_port, get_port, update_port
from bessemer.store.portgroup import (
    PortgroupFilter,
    create_portgroup,
    delete_portgroup,
    find_portgroup,
    find_portgroup_by_address,
    list_portgroup_rows,
    list_portgroups_of,
)
from fakes.resource import a_port, a_portgroup
from fakes.store import add_nodes

MAC = "52:54:00:ff:ff:0a"


async def names(database: Database, **filters: Any) -> list[str]:
    async with database.read() as tx:
        rows = await list_portgroup_rows(tx, ["name"], PortgroupFilter(**filters), Page(100))
    return [row.name for row in rows]


async def test_each_filter_finds_what_it_asks_for(database: Database) -> None:
    a, b, c = await add_nodes(
        database,
        {"shard": "s1", "conductor_group": "g", "owner": "p"},
        {"shard": "s2", "lessee": "p"},
        {"owner": "q"},
    )
    async with database.write() as tx:
        await create_portgroup(tx, a_portgroup(a.uuid, name="a", address=MAC))
        await create_portgroup(tx, a_portgroup(b.uuid, name="b"))
        await create_portgroup(tx, a_portgroup(c.uuid, name="c"))
    assert await names(database) == ["a", "b", "c"]
    assert await names(database, node_uuid=b.uuid) == ["b"]
    assert await names(database, address=MAC.upper()) == ["a"]
    assert await names(database, shards=["s1", "s2"]) == ["a", "b"]
    assert await names(database, shards=[]) == []
    assert await names(database, conductor_groups=["", "x"]) == ["b", "c"]
    assert await names(database, project="p") == ["a", "b"]
    assert await names(database, project="p", shards=["s2"]) == ["b"]
    assert await names(database, node_uuid=a.uuid, project="q") == []


async def test_a_group_is_found_by_its_address_in_either_case(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        group = await create_portgroup(tx, a_portgroup(node.uuid, address=MAC))
        assert await find_portgroup_by_address(tx, MAC.upper()) == group
        assert await find_portgroup_by_address(tx, "52:54:00:ff:ff:0b") is None


async def test_the_groups_of_a_node_come_oldest_first(database: Database) -> None:
    node, other = await add_nodes(database, {}, {})
    async with database.write() as tx:
        groups = [await create_portgroup(tx, a_portgroup(node.uuid)) for _ in range(3)]
        await create_portgroup(tx, a_portgroup(other.uuid))
        assert await list_portgroups_of(tx, node.uuid) == groups


async def test_a_group_with_ports_stays(database: Database) -> None:
    [node] = await add_nodes(database, {})
    group = a_portgroup(node.uuid)
    port = a_port(node.uuid, portgroup_uuid=group.uuid)
    async with database.write() as tx:
        await create_portgroup(tx, group)
        await create_port(tx, port)
    with pytest.raises(Conflict, match="still has ports"):
        async with database.write() as tx:
            await delete_portgroup(tx, group.uuid)
    async with database.write() as tx:
        await update_port(tx, port.uuid, portgroup_uuid=None)
        await delete_portgroup(tx, group.uuid)


async def test_a_port_can_only_be_in_a_group_that_is_there(database: Database) -> None:
    [node] = await add_nodes(database, {})
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await create_port(tx, a_port(node.uuid, portgroup_uuid=new_uuid()))


async def test_deleting_a_node_takes_its_groups_and_the_ports_in_them(database: Database) -> None:
    doomed, other = await add_nodes(database, {}, {})
    groups = [a_portgroup(node.uuid) for node in (doomed, other)]
    ports = [a_port(group.node_uuid, portgroup_uuid=group.uuid) for group in groups]
    async with database.write() as tx:
        for group in groups:
            await create_portgroup(tx, group)
        for port in ports:
            await create_port(tx, port)
    async with database.write() as tx:
        await delete_node(tx, doomed.uuid)
    async with database.read() as tx:
        assert await find_portgroup(tx, groups[0].uuid) is None
        assert await find_portgroup(tx, groups[1].uuid) == groups[1]
        assert await get_port(tx, ports[1].uuid) == ports[1]
        with pytest.raises(NotFound):
            await get_port(tx, ports[0].uuid)
