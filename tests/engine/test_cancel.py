"""Cancelling, at every point of an operation's life; the same on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.engine.engine import Engine
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Change
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.error import Conflict, DeviceUnreachable, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database
from fakes.engine import (
    PATIENCE_S,
    SETTINGS,
    Record,
    Toy,
    a_node_uuid,
    carry_out,
    enqueue,
    eventually,
    journal_lines,
    look,
    raising,
    running,
    until_asleep,
    waiting_for,
)


async def cancel(engine: Engine, database: Database, operation: Operation) -> Operation:
    async with database.write() as tx:
        return await engine.request_cancel(tx, operation.uuid, "aborted by alice")


def assert_cancelled(operation: Operation) -> None:
    assert operation.state is OperationState.CANCELLED
    assert operation.cancel_reason == "aborted by alice"
    assert operation.error is not None
    assert (operation.error.code, operation.error.message) == ("cancelled", "aborted by alice")


async def test_a_queued_operation_is_cancelled_at_once_and_never_runs(database: Database) -> None:
    record = Record()
    gateway = Gateway([record.workflow(record.step("a"))])
    node = await a_node_uuid(database)
    async with database.write() as tx:
        operation = await gateway.enqueue(tx, NewOperation(node_uuid=node, kind="toy"))
    async with database.write() as tx:
        await gateway.cancel(tx, operation.uuid, "aborted by alice")
    assert_cancelled(await look(database, operation))
    assert record.told == [(Change.CANCELLED, "a")]
    assert await journal_lines(database, operation) == ["cancelled a"]
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        await carry_out(engine, database, node_uuid=node)
    assert record.calls == ["run a"]


async def test_a_waiting_operation_is_woken_and_taken_back(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a"), record.step("b", until=waiting_for("agent", lambda: False)), record.step("c")
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        calls = len(record.calls)
        await cancel(engine, database, operation)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert_cancelled(done)
    assert record.calls[calls:] == ["undo b", "undo a"]
    assert record.told[-1][0] is Change.CANCELLED
    assert (await journal_lines(database, done))[-4:] == ["cancelled b", "undone b", "undone a", "finished"]


async def test_a_running_step_comes_to_its_end_first(database: Database) -> None:
    is_running, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: Toy) -> None:
        is_running.set()
        await go_on.wait()

    record = Record()
    workflow = record.workflow(record.step("a", work), record.step("b"))
    async with running(database, [workflow]) as engine:
        operation = await enqueue(engine, database)
        await is_running.wait()
        asked = await cancel(engine, database, operation)
        assert (asked.state, asked.cancel_reason) == (OperationState.RUNNING, "aborted by alice")
        go_on.set()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert_cancelled(done)
    assert record.calls == ["run a", "undo a"]
    lines = await journal_lines(database, done)
    assert lines == ["started a", "done a", "cancelled b", "undone a", "finished"]


async def test_a_running_step_can_see_that_it_is_not_wanted_any_more(database: Database) -> None:
    is_running = asyncio.Event()

    async def work(context: Toy) -> None:
        is_running.set()

        async def is_seen() -> bool:
            return context.is_cancel_requested

        await eventually(is_seen, 5)

    record = Record()
    # No sign of life would be due for a minute: it is told, not found out.
    settings = replace(SETTINGS, heartbeat_interval_s=60, lease_s=600)
    workflow = record.workflow(record.step("a", work), record.step("b"))
    async with running(database, [workflow], settings=settings) as engine:
        operation = await enqueue(engine, database)
        await is_running.wait()
        await cancel(engine, database, operation)
        assert_cancelled(await engine.wait_finished(operation.uuid, PATIENCE_S))


async def test_a_step_that_may_not_be_aborted_waits_on_and_ends_first(database: Database) -> None:
    is_there = False
    record = Record()
    workflow = record.workflow(
        record.step("flash", until=waiting_for("bmc", lambda: is_there), is_abortable=False), record.step("b")
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        await cancel(engine, database, operation)

        async def has_looked_again() -> bool:
            return record.calls.count("until flash") > 1

        await eventually(has_looked_again)
        operation = await until_asleep(database, operation)
        is_there = True
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "bmc")
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert_cancelled(done)
    assert "run b" not in record.calls
    assert record.calls[-1] == "undo flash"


async def test_a_pause_before_another_try_is_cut_short(database: Database) -> None:
    record = Record()
    step = record.step("a", raising(DeviceUnreachable("x")), backoff=Backoff(first_s=3600, most_s=3600))
    async with running(database, [record.workflow(step)]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        await cancel(engine, database, operation)
        assert_cancelled(await engine.wait_finished(operation.uuid, PATIENCE_S))
    assert record.calls == ["run a", "undo a"]


async def test_cancelling_while_the_last_step_runs_comes_too_late(database: Database) -> None:
    is_running, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: Toy) -> None:
        is_running.set()
        await go_on.wait()

    record = Record()
    async with running(database, [record.workflow(record.step("a", work))]) as engine:
        operation = await enqueue(engine, database)
        await is_running.wait()
        await cancel(engine, database, operation)
        go_on.set()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED


async def test_cancelling_while_steps_are_taken_back_changes_nothing(database: Database) -> None:
    is_undoing, go_on = asyncio.Event(), asyncio.Event()

    async def undo(_: Toy) -> None:
        is_undoing.set()
        await go_on.wait()

    record = Record()
    workflow = record.workflow(record.step("a", undo=undo), record.step("b", raising(RuntimeError("broken"))))
    async with running(database, [workflow]) as engine:
        operation = await enqueue(engine, database)
        await is_undoing.wait()
        await cancel(engine, database, operation)
        go_on.set()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert done.error.code == "internal-error"


async def test_the_first_reason_stays(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a", until=waiting_for("x", lambda: False), is_abortable=False))
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        await cancel(engine, database, operation)
        async with database.write() as tx:
            again = await engine.request_cancel(tx, operation.uuid, "aborted by bob")
        assert again.cancel_reason == "aborted by alice"


async def test_what_is_over_cannot_be_cancelled(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        done = await carry_out(engine, database)
        with pytest.raises(Conflict):
            await cancel(engine, database, done)
        with pytest.raises(NotFound):
            async with database.write() as tx:
                await engine.request_cancel(tx, new_uuid(), "why not")


async def test_the_next_in_the_queue_runs_when_one_is_cancelled(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", until=waiting_for("x", lambda: record.calls.count("run a") > 1))
    )
    async with running(database, [workflow]) as engine:
        first = await until_asleep(database, await enqueue(engine, database))
        second = await enqueue(engine, database, first.node_uuid)
        await cancel(engine, database, first)
        assert (await engine.wait_finished(second.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED
