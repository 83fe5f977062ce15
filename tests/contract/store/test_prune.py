"""What is old goes, a batch at a time; what is young, or needed, stays."""

from bessemer.domain.operation import JournalEntry, JournalEvent, NewOperation, Operation, OperationState
from bessemer.engine.reconcile.prune import history_look, prune_all, prune_chores
from bessemer.kernel.clock import timestamp
from bessemer.store.conductor import list_conductors, register_conductor
from bessemer.store.database import Database
from bessemer.store.event import add_event, list_events
from bessemer.store.journal import add_entry, list_entries
from bessemer.store.operation import change_operation, enqueue, list_operations
from bessemer.store.page import Page
from bessemer.store.prune import prune_conductors, prune_events, prune_operations
from fakes.clock import FakeClock
from fakes.store import add_nodes

DAY_S = 86400.0
ALL = Page(1000)


async def an_operation(database: Database, node: str, *, ended_days_ago: float | None) -> Operation:
    async with database.write() as tx:
        operation = await enqueue(tx, NewOperation(node_uuid=node, kind="toy"), ())
        await add_entry(
            tx,
            JournalEntry(
                operation_uuid=operation.uuid, at=tx.now(), position=0, step="a", title="a", attempt=1,
                event=JournalEvent.STARTED,
            ),
        )  # fmt: skip
        if ended_days_ago is not None:
            ended = timestamp(tx.clock, after_s=-ended_days_ago * DAY_S)
            over = {"state": OperationState.SUCCEEDED, "finished_at": ended}
            await change_operation(tx, operation.uuid, 0, **over)
    return operation


async def test_operations_that_ended_long_ago_go_with_their_journals(database: Database) -> None:
    [node] = await add_nodes(database, {})
    old, young, running = [
        await an_operation(database, node.uuid, ended_days_ago=days) for days in (91, 89, None)
    ]
    assert await prune_all(database, prune_operations, older_than_s=90 * DAY_S) == 1
    async with database.read() as tx:
        assert [one.uuid for one in await list_operations(tx)] == [young.uuid, running.uuid]
        assert await list_entries(tx, old.uuid) == []
        assert len(await list_entries(tx, young.uuid)) == 1


async def test_pruning_takes_the_oldest_first_and_no_more_than_it_may(database: Database) -> None:
    [node] = await add_nodes(database, {})
    made = [await an_operation(database, node.uuid, ended_days_ago=days) for days in (2, 4, 3)]
    async with database.write() as tx:
        assert await prune_operations(tx, timestamp(tx.clock, after_s=-DAY_S), 2) == 2
    async with database.read() as tx:
        assert [one.uuid for one in await list_operations(tx)] == [made[0].uuid]


async def test_events_in_no_history_go_when_they_are_old(database: Database, clock: FakeClock) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        kept = await add_event(tx, node_uuid=node.uuid, kind="in its history")
        await add_event(tx, node_uuid=node.uuid, kind="passing", in_history=False)
        await add_event(tx, node_uuid=None, kind="of no node")
    assert await prune_all(database, prune_events, older_than_s=DAY_S) == 0
    clock.advance(2 * DAY_S)
    assert await prune_all(database, prune_events, older_than_s=DAY_S) == 2
    async with database.read() as tx:
        assert await list_events(tx, node.uuid, ALL) == [kept]


async def test_a_history_keeps_its_newest_events_and_all_that_are_young(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {})

    async def tell(*kinds: str) -> None:
        async with database.write() as tx:
            for kind in kinds:
                await add_event(tx, node_uuid=node.uuid, kind=kind)

    async def history(minimum_days: float) -> list[str]:
        look = history_look(database, keep=2, minimum_days=minimum_days, interval_s=60)
        assert (await look(node.uuid, 0)).in_s == 60
        async with database.read() as tx:
            return [event.kind for event in await list_events(tx, node.uuid, ALL)]

    await tell("a", "b")
    clock.advance(2 * DAY_S)
    await tell("c", "d", "e")
    assert await history(minimum_days=1) == ["c", "d", "e"]
    clock.advance(1)
    assert await history(minimum_days=0) == ["d", "e"]


async def test_conductors_that_nobody_heard_of_for_long_are_forgotten(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        for host, lease_s in (("old", -1.0), ("holding", -1.0), ("alive", 60.0)):
            await register_conductor(tx, host, f"incarnation of {host}", "", [], lease_s=lease_s)
        held = await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="toy"), ())
        owner = {"owner": "incarnation of holding", "state": OperationState.RUNNING}
        await change_operation(tx, held.uuid, 0, **owner)
    async with database.write() as tx:
        future = "2999-01-01T00:00:00.000000+00:00"
        assert await prune_conductors(tx, "2000-01-01T00:00:00.000000+00:00") == 0
        assert await prune_conductors(tx, future) == 1
        assert [one.hostname for one in await list_conductors(tx)] == ["holding", "alive"]


async def test_what_is_to_be_kept_for_ever_is_not_looked_at(database: Database) -> None:
    chores = prune_chores(database, operation_days=0, event_days=14, conductor_days=0, interval_s=60)
    assert [chore.name for chore in chores] == ["prune events"]
