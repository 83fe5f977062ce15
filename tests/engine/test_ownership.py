"""Who holds what: signs of life, take-over, and how the loser behaves; on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.engine import Engine
from bessemer.engine.ownership import Superseded
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import FenceLost
from bessemer.store.claim import claim_operations, list_held
from bessemer.store.conductor import register_conductor, touch_conductor
from bessemer.store.database import Database
from bessemer.store.node import get_node, update_node
from bessemer.store.operation import change_operation
from fakes.engine import (
    PATIENCE_S,
    SETTINGS,
    Blocked,
    Record,
    Toy,
    carry_out,
    enqueue,
    eventually,
    look,
    running,
    until_state,
)


@pytest.fixture
def clock() -> SystemClock:
    """Death is a matter of real time here."""
    return SystemClock()


async def take_over(database: Database, operation: Operation) -> Operation:
    """What another conductor does once the holder is thought dead."""
    async with database.write() as tx:
        await register_conductor(tx, "host-z", "another-incarnation", "", [])
        await change_operation(tx, operation.uuid, operation.fence, owner="a-dead-incarnation")
        [taken] = await claim_operations(
            tx, owner="another-incarnation", group="", kinds=[("toy", 1)], limit=1
        )
    assert taken.uuid == operation.uuid
    assert taken.fence == operation.fence + 1
    return taken


async def test_a_holder_that_lost_an_operation_cannot_write_for_it(database: Database) -> None:
    blocked, record = Blocked(), Record()
    # No sign of life within the test: only the fence tells the loser.
    settings = replace(SETTINGS, heartbeat_interval_s=600, lease_s=6000)
    workflow = record.workflow(record.step("a", blocked))
    async with running(database, [workflow], settings=settings) as engine:
        operation = await enqueue(engine, database)
        await blocked.began.wait()
        taken = await take_over(database, await look(database, operation))
        blocked.go_on.set()

        async def is_told() -> bool:
            return blocked.outcome is not None

        await eventually(is_told)
        await carry_out(engine, database)
    assert blocked.outcome is FenceLost
    assert await look(database, operation) == taken
    assert record.calls == ["run a"] * 2
    async with database.read() as tx:
        assert (await get_node(tx, operation.node_uuid)).description is None


async def test_a_holder_notices_at_its_next_sign_of_life_that_it_lost(database: Database) -> None:
    blocked, record = Blocked(), Record()
    async with running(database, [record.workflow(record.step("a", blocked))]) as engine:
        operation = await enqueue(engine, database)
        await blocked.began.wait()
        taken = await take_over(database, await look(database, operation))

        async def is_dropped() -> bool:
            return blocked.outcome is not None

        await eventually(is_dropped)
    assert blocked.outcome is asyncio.CancelledError
    assert await look(database, operation) == taken


async def test_what_a_silent_conductor_held_is_taken_over(database: Database) -> None:
    record = Record()
    async with database.write() as tx:
        await register_conductor(tx, "host-z", "silent", "", [], lease_s=600)
    workflow = record.workflow(record.step("a"))
    gateway = Engine(database, [workflow], None, SETTINGS, database.clock)
    operation = await enqueue(gateway, database)
    async with database.write() as tx:
        await claim_operations(tx, owner="silent", group="", kinds=[("toy", 1)], limit=1)
    async with running(database, [workflow]) as engine:
        await carry_out(engine, database)
        assert (await look(database, operation)).owner == "silent"
        async with database.write() as tx:
            await touch_conductor(tx, "host-z", "silent", lease_s=0.5)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED


async def test_a_restart_under_the_same_name_goes_on_at_once(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a"))
    async with database.write() as tx:
        await register_conductor(tx, SETTINGS.hostname, "before the crash", "", [])
    operation = await enqueue(Engine(database, [workflow], None, SETTINGS, database.clock), database)
    async with database.write() as tx:
        await claim_operations(tx, owner="before the crash", group="", kinds=[("toy", 1)], limit=1)
    settings = replace(SETTINGS, lease_s=600)  # much longer than anybody waits below
    async with running(database, [workflow], settings=settings) as engine:
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED


async def test_a_process_whose_name_is_taken_stops_and_says_so(database: Database) -> None:
    blocked, record = Blocked(), Record()
    workflow = record.workflow(record.step("a", blocked))
    first = Engine(database, [workflow], None, SETTINGS, database.clock)
    task = asyncio.create_task(first.run())
    operation = await enqueue(first, database)
    await asyncio.wait_for(blocked.began.wait(), PATIENCE_S)
    quick = record.workflow(record.step("a"))
    async with running(database, [quick]) as second:
        done = await second.wait_finished(operation.uuid, PATIENCE_S)
        with pytest.raises(Superseded, match="host-a"):
            await asyncio.wait_for(task, PATIENCE_S)
        assert (done.state, done.fence) == (OperationState.SUCCEEDED, 2)
        # And its end has not signed the second one off.
        await carry_out(second, database)
    assert blocked.outcome is asyncio.CancelledError


async def test_what_a_defect_left_behind_is_released_by_the_owner_itself(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a"))
    async with running(database, [workflow]) as engine:
        # Held by this very incarnation, but no task of it works on it.
        operation = await enqueue(engine, database, conductor_group="elsewhere")
        async with database.write() as tx:
            await change_operation(
                tx,
                operation.uuid,
                0,
                owner=engine.incarnation,
                state=OperationState.RUNNING,
                conductor_group="",
            )
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED


async def test_after_a_graceful_stop_nothing_is_held(database: Database) -> None:
    blocked, record = Blocked(), Record()
    settings = replace(SETTINGS, graceful_stop_s=0)
    async with running(database, [record.workflow(record.step("a", blocked))], settings=settings) as engine:
        operation = await enqueue(engine, database)
        await blocked.began.wait()
        await until_state(database, operation, OperationState.RUNNING)
    async with database.read() as tx:
        assert await list_held(tx, engine.incarnation) == {}
    found = await look(database, operation)
    assert (found.state, found.owner, found.attempt) == (OperationState.RUNNING, None, 1)


async def test_two_conductors_share_the_work(database: Database) -> None:
    ran_by: dict[str, set[str]] = {"host-a": set(), "host-b": set()}

    def work(host: str) -> Any:
        async def run(context: Toy) -> None:
            ran_by[host].add(context.operation.uuid)
            async with context.write() as tx:
                await update_node(tx, context.operation.node_uuid, reservation=host)

        return run

    record = Record()
    few = replace(SETTINGS, workers=2, claim_batch=2)
    flows = {host: record.workflow(record.step("a", work(host)), record.step("b")) for host in ran_by}
    async with (
        running(database, [flows["host-a"]], settings=few) as engine,
        running(database, [flows["host-b"]], settings=replace(few, hostname="host-b")),
    ):
        asked = [await enqueue(engine, database) for _ in range(30)]
        for operation in asked:
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
            assert done.state is OperationState.SUCCEEDED
    assert ran_by["host-a"] | ran_by["host-b"] == {operation.uuid for operation in asked}
    assert not ran_by["host-a"] & ran_by["host-b"]
