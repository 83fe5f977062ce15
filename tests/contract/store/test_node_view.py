"""Many nodes read with one statement, and whether anything works on them."""

from bessemer.domain.operation import NewOperation
from bessemer.store.database import Database
from bessemer.store.node_view import read_node_views
from bessemer.store.operation import enqueue
from fakes.store import add_nodes


async def test_nodes_come_by_their_uuids_and_missing_ones_are_missing(database: Database) -> None:
    first, second, _ = await add_nodes(database, {"driver_info": {"redfish_password": "secret"}}, {}, {})
    async with database.read() as tx:
        found = await read_node_views(tx, [second.uuid, first.uuid, "11111111-2222-4333-8444-555555555555"])
    assert {uuid: view.node for uuid, view in found.items()} == {first.uuid: first, second.uuid: second}
    assert not any(view.is_busy for view in found.values())


async def test_a_node_with_queued_work_is_busy_and_calls_beside_do_not_count(database: Database) -> None:
    busy, called = await add_nodes(database, {}, {})
    async with database.write() as tx:
        await enqueue(tx, NewOperation(node_uuid=busy.uuid, kind="power"), [])
        await enqueue(tx, NewOperation(node_uuid=called.uuid, kind="ask", is_exclusive=False), [])
    async with database.read() as tx:
        found = await read_node_views(tx, [busy.uuid, called.uuid])
    assert {uuid: view.is_busy for uuid, view in found.items()} == {busy.uuid: True, called.uuid: False}
