"""What a step can do through its context; the same on SQLite and PostgreSQL."""

import asyncio
from typing import Any

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.context import REPORT_S
from bessemer.engine.workflow import Done, Wait
from bessemer.kernel.error import DeviceRefused
from bessemer.store.database import Database
from bessemer.store.node import get_node, update_node
from fakes.engine import (
    PATIENCE_S,
    Record,
    Toy,
    carry_out,
    enqueue,
    eventually,
    look,
    running,
    until_asleep,
)


async def test_progress_is_written_seldom_however_often_it_is_reported(database: Database) -> None:
    writes: list[tuple[float | None, str]] = []
    reported, go_on = asyncio.Event(), asyncio.Event()

    async def run(context: Toy) -> None:
        for percent in range(100):
            await context.report(percent, f"{percent} of 100")
            seen = (context.operation.progress, context.operation.progress_text)
            if not writes or writes[-1] != seen:
                writes.append(seen)
        reported.set()
        await go_on.wait()

    record = Record()
    async with running(database, [record.workflow(record.step("a", run))]) as engine:
        operation = await enqueue(engine, database)
        await reported.wait()
        assert len(writes) == 1

        async def is_written() -> bool:
            found = await look(database, operation)
            return (found.progress, found.progress_text) == (99, "99 of 100")

        # The last report is not forgotten, though nothing follows it.
        await eventually(is_written, REPORT_S + 5)
        go_on.set()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert (done.progress, done.progress_text) == (None, "")


async def test_progress_reported_while_looking_is_kept_through_the_sleep(database: Database) -> None:
    record = Record()

    async def until(context: Toy) -> Done | Wait:
        await context.report(40.0, "writing")
        return Wait("agent", None, reason="the image")

    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
    assert (operation.progress, operation.progress_text) == (40.0, "writing")


async def test_what_is_waited_for_shows_as_progress(database: Database) -> None:
    reasons = ["the agent", "the image"]
    record = Record()

    async def until(_: Toy) -> Done | Wait:
        return Wait("agent", None, reason=reasons.pop(0))

    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        assert operation.progress_text == "the agent"
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")

        async def has_changed() -> bool:
            return (await look(database, operation)).progress_text == "the image"

        await eventually(has_changed)


async def test_notes_can_be_saved_in_the_middle_of_a_step(database: Database) -> None:
    saved: list[Operation] = []

    async def run(context: Toy) -> None:
        context.data["task"] = "/Tasks/7"
        await context.save()
        saved.append(await look(database, context.operation))

    record = Record()
    async with running(database, [record.workflow(record.step("a", run))]) as engine:
        await carry_out(engine, database)
    assert saved[0].data == {"task": "/Tasks/7"}
    assert saved[0].state is OperationState.RUNNING


async def test_a_step_writes_to_the_database_under_its_fence(database: Database) -> None:
    async def run(context: Toy) -> None:
        async with context.write() as tx:
            await update_node(tx, context.operation.node_uuid, description="mine")

    record = Record()
    async with running(database, [record.workflow(record.step("a", run))]) as engine:
        done = await carry_out(engine, database)
    async with database.read() as tx:
        assert (await get_node(tx, done.node_uuid)).description == "mine"


async def test_a_block_of_a_step_that_fails_writes_nothing(database: Database) -> None:
    async def run(context: Toy) -> None:
        async with context.write() as tx:
            await update_node(tx, context.operation.node_uuid, description="mine")
            raise DeviceRefused("no")

    record = Record()
    async with running(database, [record.workflow(record.step("a", run))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    async with database.read() as tx:
        assert (await get_node(tx, done.node_uuid)).description is None


async def test_times_and_attempt_are_those_of_the_step(database: Database) -> None:
    seen: list[Any] = []

    async def run(context: Toy) -> None:
        seen.append((context.step_started_at, context.operation.attempt, context.clock.now()))

    record = Record()
    async with running(database, [record.workflow(record.step("a", run))]) as engine:
        done = await carry_out(engine, database)
    assert seen == [(done.step_started_at, 1, database.clock.now())]
