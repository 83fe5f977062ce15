"""Operations, their claiming and their journal in the store; the same on SQLite and PostgreSQL."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from bessemer.domain.operation import (
    JournalEntry,
    JournalEvent,
    NewOperation,
    Operation,
    OperationError,
    OperationState,
    Phase,
    PlanItem,
)
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import Conflict, FenceLost, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.claim import (
    claim_operations,
    list_fences,
    list_held,
    next_wake,
    release_operations,
)
from bessemer.store.conductor import register_conductor, unregister_conductor
from bessemer.store.database import Database, Transaction
from bessemer.store.journal import add_entries, add_entry, list_begun, list_entries
from bessemer.store.operation import (
    change_operation,
    enqueue,
    find_active,
    get_operation,
    guard_operation,
    list_operations,
    lock_operation,
    put_to_sleep,
    signal_operations,
)
from bessemer.store.page import Page
from fakes.clock import FakeClock
from fakes.engine import a_node_uuid
from fakes.store import add_nodes

PLAN = (PlanItem("power on"), PlanItem("write", {"image": "a"}, "write the image"))


async def ask(database: Database, node_uuid: str | None = None, **more: Any) -> Operation:
    node_uuid = node_uuid or await a_node_uuid(database)
    async with database.write() as tx:
        return await enqueue(tx, NewOperation(**{"node_uuid": node_uuid, "kind": "deploy", **more}), PLAN)


async def claim(tx: Transaction, owner: str = "me", **more: Any) -> list[Operation]:
    terms = {"owner": owner, "group": "", "kinds": [("deploy", 1)], "limit": 100}
    return await claim_operations(tx, **{**terms, **more})


async def claim_now(database: Database, owner: str = "me", **more: Any) -> list[str]:
    async with database.write() as tx:
        return [operation.uuid for operation in await claim(tx, owner, **more)]


@pytest.fixture
async def alive(database: Database) -> None:
    """The conductor ``me`` lives."""
    async with database.write() as tx:
        await register_conductor(tx, "host-a", "me", "", [])


async def test_an_operation_comes_back_as_it_was_asked_for(database: Database) -> None:
    asked = await ask(
        database,
        args={"configdrive": None, "steps": [1]},
        requested_by="alice",
        request_id="req-1",
        version=1,
    )
    async with database.read() as tx:
        found = await get_operation(tx, asked.uuid)
    assert found == asked
    assert (found.state, found.plan, found.position, found.phase) == (
        OperationState.QUEUED,
        PLAN,
        0,
        Phase.RUN,
    )
    assert (found.owner, found.fence, found.attempt) == (None, 0, 0)


async def test_an_absent_operation_is_not_found(database: Database) -> None:
    async with database.write() as tx:
        with pytest.raises(NotFound):
            await get_operation(tx, new_uuid())
        with pytest.raises(NotFound):
            await lock_operation(tx, new_uuid())


async def test_operations_are_listed_by_node_and_state_in_pages(database: Database, alive: None) -> None:
    node = await a_node_uuid(database)
    asked = [await ask(database, node) for _ in range(3)]
    other = await ask(database)
    await claim_now(database)
    async with database.read() as tx:
        assert [one.uuid for one in await list_operations(tx)] == [one.uuid for one in [*asked, other]]
        assert len(await list_operations(tx, node)) == 3
        queued = await list_operations(tx, states=[OperationState.QUEUED])
        assert [one.uuid for one in queued] == [asked[1].uuid, asked[2].uuid]
        page = await list_operations(tx, node, page=Page(5, marker=asked[0].uuid))
        assert [one.uuid for one in page] == [asked[1].uuid, asked[2].uuid]
        with pytest.raises(NotFound):
            await list_operations(tx, page=Page(5, marker=new_uuid()))


async def test_the_active_operation_is_the_exclusive_one_at_work_or_else_the_next(
    database: Database, alive: None
) -> None:
    node = await a_node_uuid(database)
    async with database.read() as tx:
        assert await find_active(tx, node) is None
    await ask(database, node, is_exclusive=False)
    first, second = await ask(database, node), await ask(database, node)
    async with database.write() as tx:
        assert (await find_active(tx, node) or first).uuid == first.uuid
        await claim(tx)
        found = await find_active(tx, node)
        assert found is not None
        assert (found.uuid, found.state) == (first.uuid, OperationState.RUNNING)
        await end(tx, found)
        assert (await find_active(tx, node) or first).uuid == second.uuid


async def end(tx: Transaction, operation: Operation) -> None:
    over = {"state": OperationState.SUCCEEDED, "owner": None, "finished_at": tx.now()}
    await change_operation(tx, operation.uuid, operation.fence, **over)


async def test_claiming_takes_the_first_of_each_node(database: Database, alive: None) -> None:
    node = await a_node_uuid(database)
    first, second = await ask(database, node), await ask(database, node)
    beside, other = await ask(database, node, is_exclusive=False), await ask(database)
    async with database.write() as tx:
        taken = await claim(tx)
        assert [one.uuid for one in taken] == [first.uuid, beside.uuid, other.uuid]
        assert all((one.owner, one.fence, one.state) == ("me", 1, OperationState.RUNNING) for one in taken)
        assert await claim(tx) == []
        assert await list_held(tx, "me") == {one.uuid: (1, None) for one in taken}
        assert await list_fences(tx, [first.uuid, second.uuid, new_uuid()]) == {first.uuid: 1, second.uuid: 0}
        await end(tx, taken[0])
        assert [one.uuid for one in await claim(tx)] == [second.uuid]


async def test_claiming_keeps_to_its_terms(database: Database, alive: None) -> None:
    asked = [await ask(database) for _ in range(4)]
    await ask(database, conductor_group="rack9")
    await ask(database, kind="unknown")
    await ask(database, version=2)
    assert await claim_now(database, kinds=[]) == []
    assert await claim_now(database, limit=3) == [one.uuid for one in asked[:3]]
    assert await claim_now(database) == [asked[3].uuid]
    assert len(await claim_now(database, group="rack9")) == 1
    assert len(await claim_now(database, kinds=[("unknown", 1), ("deploy", 2)])) == 2


@pytest.mark.parametrize("is_asleep", [False, True], ids=["queued", "asleep"])
async def test_no_operation_is_claimed_twice_by_many_at_once(database: Database, is_asleep: bool) -> None:
    node = await a_node_uuid(database)
    nodes = [new.uuid for new in await add_nodes(database, *({} for _ in range(60)))]
    asked = [await ask(database, one) for one in nodes]
    if is_asleep:
        async with database.write() as tx:
            for operation in asked:
                await put_to_sleep(tx, operation.uuid, 0, seen=0, wake_at=tx.now(), wait_for="agent")
    asked.append(await ask(database, node))
    await ask(database, node)
    async with database.write() as tx:
        for number in range(8):
            await register_conductor(tx, f"host-{number}", f"owner-{number}", "", [])
    taken: list[str] = []

    async def grab(number: int) -> None:
        for _ in range(20):
            try:
                async with database.write() as tx:
                    mine = await claim(tx, f"owner-{number}", limit=2)
            except Conflict:
                continue
            taken.extend(one.uuid for one in mine)

    await asyncio.gather(*(grab(number) for number in range(8)))
    assert sorted(taken) == sorted(one.uuid for one in asked)


async def test_the_database_itself_allows_one_exclusive_operation_at_work_per_node(
    database: Database, alive: None
) -> None:
    node = await a_node_uuid(database)
    await ask(database, node)
    second = await ask(database, node)
    await claim_now(database)
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await change_operation(tx, second.uuid, 0, state=OperationState.RUNNING)


async def sleeping(database: Database, wake_after_s: float | None, **more: Any) -> Operation:
    await ask(database)
    async with database.write() as tx:
        [operation] = await claim(tx)
        wake = None if wake_after_s is None else timestamp(tx.clock, after_s=wake_after_s)
        terms = {"seen": operation.signals, "wait_for": "agent", "data": {"a": 1}, **more}
        await put_to_sleep(tx, operation.uuid, operation.fence, wake_at=wake, **terms)
        return await get_operation(tx, operation.uuid)


async def test_a_sleeper_is_claimed_when_its_time_has_come(
    database: Database, alive: None, clock: FakeClock
) -> None:
    sleeper = await sleeping(database, 60)
    assert (sleeper.state, sleeper.owner, sleeper.data) == (OperationState.WAITING, None, {"a": 1})
    async with database.read() as tx:
        assert await next_wake(tx, "", [("deploy", 1)], tx.now()) == sleeper.wake_at
        assert await next_wake(tx, "rack9", [("deploy", 1)], tx.now()) is None
        assert await next_wake(tx, "", [("other", 1)], tx.now()) is None
    clock.advance(59.9)
    assert await claim_now(database) == []
    clock.advance(0.1)
    async with database.write() as tx:
        [taken] = await claim(tx)
    assert (taken.uuid, taken.state, taken.fence) == (sleeper.uuid, OperationState.WAITING, 2)


async def test_a_signal_wakes_who_waits_for_it_and_counts_for_all(database: Database, alive: None) -> None:
    sleeper = await sleeping(database, None)
    async with database.write() as tx:
        assert await signal_operations(tx, sleeper.node_uuid, "other") == 1
        assert (await get_operation(tx, sleeper.uuid)).signals == 1
        assert await claim(tx) == []
        assert await signal_operations(tx, new_uuid(), "agent") == 0
        assert await signal_operations(tx, sleeper.node_uuid, "agent") == 1
        assert [one.uuid for one in await claim(tx)] == [sleeper.uuid]


async def test_a_signal_before_sleep_keeps_it_awake(database: Database, alive: None) -> None:
    await ask(database)
    async with database.write() as tx:
        [operation] = await claim(tx)
        await signal_operations(tx, operation.node_uuid, "agent")
        at = await put_to_sleep(tx, operation.uuid, 1, seen=operation.signals, wake_at=None, wait_for="agent")
        assert at == tx.now()
        [again] = await claim(tx)
        assert again.signals == 1
        assert await put_to_sleep(tx, again.uuid, 2, seen=1, wake_at=None, wait_for="agent") is None
        assert await claim(tx) == []


async def test_who_waits_for_time_alone_does_not_mind_signals(database: Database, alive: None) -> None:
    await ask(database)
    async with database.write() as tx:
        [operation] = await claim(tx)
        await signal_operations(tx, operation.node_uuid, "agent")
        later = timestamp(tx.clock, after_s=60)
        assert await put_to_sleep(tx, operation.uuid, 1, seen=None, wake_at=later) == later
        await signal_operations(tx, operation.node_uuid, "agent")
        assert await claim(tx) == []


@pytest.mark.parametrize(
    "write",
    [
        guard_operation,
        lambda tx, uuid, fence: change_operation(tx, uuid, fence, data={"x": 1}),
        lambda tx, uuid, fence: put_to_sleep(tx, uuid, fence, seen=0, wake_at=None, wait_for="agent"),
    ],
    ids=["guard", "change", "sleep"],
)
async def test_a_write_with_an_old_fence_changes_nothing(database: Database, alive: None, write: Any) -> None:
    await ask(database)
    async with database.write() as tx:
        [operation] = await claim(tx)
        await release_operations(tx, "me")
        [again] = await claim(tx)
    with pytest.raises(FenceLost):
        async with database.write() as tx:
            await write(tx, operation.uuid, operation.fence)
    async with database.read() as tx:
        assert await get_operation(tx, operation.uuid) == again


async def test_what_a_departed_conductor_held_is_free_at_once(database: Database, alive: None) -> None:
    sleeper = await sleeping(database, -1)
    await ask(database)
    held = await claim_now(database)
    assert sleeper.uuid in held
    async with database.write() as tx:
        await register_conductor(tx, "host-b", "heir", "", [])
    assert await claim_now(database, "heir") == []
    async with database.write() as tx:
        await unregister_conductor(tx, "host-a", "me")
    assert len(await claim_now(database, "heir")) == 2


async def test_what_is_released_is_free_at_once_and_keeps_its_state(database: Database, alive: None) -> None:
    sleeper = await sleeping(database, -1)
    running = await ask(database)
    await claim_now(database)
    async with database.write() as tx:
        assert await release_operations(tx, "somebody else") == 0
        assert await release_operations(tx, "me", [running.uuid]) == 1
        assert await release_operations(tx, "me") == 1
    async with database.read() as tx:
        states = {one.uuid: (one.state, one.owner) for one in await list_operations(tx)}
    assert states[running.uuid] == (OperationState.RUNNING, None)
    assert states[sleeper.uuid] == (OperationState.WAITING, None)
    async with database.write() as tx:
        await register_conductor(tx, "host-b", "heir", "", [])
    assert len(await claim_now(database, "heir")) == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        {"state": OperationState.SUCCEEDED},
        {"state": OperationState.FAILED, "finished_at": "2026"},
        {"owner": "me"},
        {"finished_at": "2026"},
        {"state": OperationState.WAITING},
    ],
    ids=str,
)
async def test_states_that_make_no_sense_are_not_stored(database: Database, nonsense: dict[str, Any]) -> None:
    operation = await ask(database)
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await change_operation(tx, operation.uuid, 0, **nonsense)


async def test_error_and_result_come_back_as_they_were_written(database: Database) -> None:
    operation = await ask(database)
    error = OperationError(code="x", fault="device", message="m", hint="h", step="s")
    over = {"state": OperationState.FAILED, "finished_at": "2026", "error": error, "result": [1, {"a": None}]}
    async with database.write() as tx:
        await change_operation(tx, operation.uuid, 0, **over)
        found = await get_operation(tx, operation.uuid)
    assert (found.error, found.result) == (error, [1, {"a": None}])


async def test_the_journal_keeps_its_order_and_knows_what_was_begun(database: Database) -> None:
    operation = await ask(database)

    def line(position: int, event: JournalEvent, **more: Any) -> JournalEntry:
        known = {"operation_uuid": operation.uuid, "at": "2026", "step": "s", "title": "t", "attempt": 1}
        return JournalEntry(**known, position=position, event=event, **more)

    lines = [
        line(0, JournalEvent.STARTED, owner="me", fence=3),
        line(0, JournalEvent.DONE, duration_s=1.25, detail="fine"),
        line(1, JournalEvent.SKIPPED),
        line(2, JournalEvent.STARTED),
        line(2, JournalEvent.RESUMED),
    ]
    async with database.write() as tx:
        await add_entries(tx, lines[:4])
        await add_entries(tx, [])
        await add_entry(tx, lines[4])
        assert await list_entries(tx, operation.uuid) == lines
        assert await list_begun(tx, operation.uuid) == [0, 2]
        assert await list_entries(tx, new_uuid()) == []
