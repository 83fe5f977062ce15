"""Waiting: by signal, by time, with a deadline; the same on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import JournalEvent, OperationState, Phase
from bessemer.engine.workflow import Change, Done, Wait
from bessemer.kernel.clock import SystemClock, seconds_between, timestamp
from bessemer.kernel.error import DeviceUnreachable
from bessemer.store.database import Database, Transaction
from bessemer.store.node import get_node, update_node
from fakes.clock import FakeClock
from fakes.engine import (
    PATIENCE_S,
    SETTINGS,
    Record,
    Toy,
    carry_out,
    enqueue,
    eventually,
    failing_times,
    journal,
    journal_lines,
    look,
    poke,
    running,
    until_asleep,
    waiting_for,
)


async def test_an_outcome_that_is_there_at_once_needs_no_wait(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a", until=waiting_for("agent", lambda: True)))
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert record.calls == ["run a", "until a"]
    assert await journal_lines(database, done) == ["started a", "done a", "finished"]
    assert Change.WAITING not in [change for change, _ in record.told]


async def test_what_a_run_writes_with_its_end_is_written_although_the_outcome_is_waited_for(
    database: Database,
) -> None:
    record = Record()

    async def run(context: Toy) -> Done:
        async def also(tx: Transaction) -> None:
            await update_node(tx, context.operation.node_uuid, description="set going")

        return Done(also=also)

    step = record.step("a", run, until=waiting_for("agent", lambda: False))
    async with running(database, [record.workflow(step)]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        async with database.read() as tx:
            assert (await get_node(tx, operation.node_uuid)).description == "set going"


async def test_a_waiting_operation_is_a_row_until_its_signal_comes(database: Database) -> None:
    is_there = False
    record = Record()
    workflow = record.workflow(
        record.step("a", until=waiting_for("agent", lambda: is_there, reason="the agent")), record.step("b")
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        assert (operation.wait_for, operation.wake_at, operation.owner) == ("agent", None, None)
        assert operation.progress_text == "the agent"
        assert record.calls == ["run a", "until a"]

        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "something else")
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        await eventually_called(record, "until a", 2)
        await until_asleep(database, operation)

        is_there = True
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "until a", "until a", "until a", "run b"]
    # Told and journalled once, however often it looked.
    assert await journal_lines(database, done) == [
        "started a", "waiting a", "done a", "started b", "done b", "finished",
    ]  # fmt: skip
    assert record.told == [
        (Change.STARTED, "a"),
        (Change.STEP, "a"),
        (Change.WAITING, "a"),
        (Change.STEP, "b"),
        (Change.SUCCEEDED, ""),
    ]


async def eventually_called(record: Record, call: str, times: int) -> None:
    async def is_so() -> bool:
        return record.calls.count(call) >= times

    await eventually(is_so)


async def test_after_a_wait_in_the_last_step_the_workflow_is_told_that_it_goes_on(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", until=waiting_for("agent", lambda: record.calls.count("until a") > 1)),
        record.step("b", when=lambda _: False),
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert record.told[-3:] == [(Change.WAITING, "a"), (Change.STEP, "a"), (Change.SUCCEEDED, "")]


async def test_a_poll_looks_again_when_its_time_has_come(database: Database, clock: FakeClock) -> None:
    is_there = False
    record = Record()
    workflow = record.workflow(record.step("a", until=waiting_for("agent", lambda: is_there, poll_s=30)))
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        assert operation.wake_at == timestamp(clock, after_s=30)
        is_there = True
        clock.advance(29)
        await poke(database)
        assert (await look(database, operation)).state is OperationState.WAITING
        clock.advance(1)
        await poke(database)
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "until a", "until a"]


async def test_the_alarm_wakes_sleepers_by_itself(database_url: str) -> None:
    database = await Database.open(database_url, clock=SystemClock())
    record = Record()
    workflow = record.workflow(
        record.step("a", until=waiting_for("agent", lambda: record.calls.count("until a") >= 20, poll_s=0.02))
    )
    # The runner's own looks, each after twice the time of the one before, would not come to twenty.
    async with running(database, [workflow], settings=replace(SETTINGS, poll_s=600.0)) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    await database.close()


async def test_a_deadline_ends_the_wait_and_says_what_was_waited_for(
    database: Database, clock: FakeClock
) -> None:
    record = Record()
    until = waiting_for("agent", lambda: False, timeout_s=1800, poll_s=600, reason="the agent to call back")
    async with running(database, [record.workflow(record.step("boot", until=until))]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        assert operation.deadline_at == timestamp(clock, after_s=1800)
        for _ in range(2):
            clock.advance(600)
            await poke(database)
            calls = len(record.calls)
            await eventually_called(record, "until boot", calls)
            operation = await until_asleep(database, operation)
        # The deadline counts from the first wait, not from the last look.
        assert operation.deadline_at == timestamp(clock, after_s=600)
        clock.advance(600)
        await poke(database)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.fault, done.error.step) == ("deadline-exceeded", "device", "boot")
    assert "the agent to call back" in done.error.message
    assert "1800 seconds" in done.error.message
    assert record.calls[-2:] == ["until boot", "undo boot"]


async def test_an_outcome_seen_at_the_deadline_still_counts(database: Database, clock: FakeClock) -> None:
    is_there = False
    record = Record()
    until = waiting_for("agent", lambda: is_there, timeout_s=60)
    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        is_there = True
        clock.advance(3600)
        await poke(database)
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED


async def test_a_deadline_survives_the_process(database: Database, clock: FakeClock) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", until=waiting_for("agent", lambda: False, timeout_s=100, poll_s=60))
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
    clock.advance(70)
    async with running(database, [workflow]):
        await eventually_called(record, "until a", 2)
        operation = await until_asleep(database, operation)
    assert operation.deadline_at == timestamp(clock, after_s=30)
    assert operation.wake_at == operation.deadline_at
    clock.advance(30)
    async with running(database, [workflow]) as engine:
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.FAILED


async def test_a_signal_that_comes_while_it_looks_is_not_lost(database: Database) -> None:
    looking, go_on = asyncio.Event(), asyncio.Event()
    record = Record()

    async def until(_: Toy) -> Done | Wait:
        if record.calls.count("until a") > 1:
            return Done()
        looking.set()
        await go_on.wait()
        return Wait("agent", timeout_s=None)

    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        operation = await enqueue(engine, database)
        await looking.wait()
        # It has looked and seen nothing; what it looked for comes now, before it sleeps.
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        go_on.set()
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED


@pytest.mark.parametrize("rhythm", range(3))
async def test_no_signal_is_lost_however_they_race_with_sleep(database: Database, rhythm: int) -> None:
    """Each of many facts is made true and signalled; nothing else would wake the operation."""
    facts = 40
    seen: list[int] = []
    made = 0
    record = Record()

    async def until(_: Toy) -> Done | Wait:
        seen.append(made)
        await asyncio.sleep(0)
        return Done() if seen[-1] >= facts else Wait("fact", timeout_s=None)

    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        operation = await enqueue(engine, database)
        for number in range(1, facts + 1):
            made = number
            async with database.write() as tx:
                await engine.signal(tx, operation.node_uuid, "fact")
            for _ in range(number % (2 + rhythm)):
                await asyncio.sleep(0)
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED
    assert seen[-1] == facts


async def test_a_wait_without_poll_or_deadline_holds_until_it_is_signalled(
    database: Database, clock: FakeClock
) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("hold", until=waiting_for("unhold", lambda: record.calls.count("until hold") > 1))
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        clock.advance(10 * 365 * 86400)
        await poke(database)
        assert (await look(database, operation)).state is OperationState.WAITING
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "unhold")
        assert (await engine.wait_finished(operation.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED


async def test_an_outcome_that_cannot_be_seen_for_a_moment_is_asked_for_again(
    database: Database,
) -> None:
    record = Record()
    until = failing_times(DeviceUnreachable("no answer"), 2, then=Done())
    async with running(database, [record.workflow(record.step("a", until=until, attempts=3))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "until a", "until a", "until a"]
    assert await journal_lines(database, done) == [
        "started a",
        "retried a",
        "retried a",
        "done a",
        "finished",
    ]


async def test_looking_in_vain_too_often_in_a_row_fails(database: Database) -> None:
    record = Record()
    until = failing_times(DeviceUnreachable("no answer"), 3)
    async with running(database, [record.workflow(record.step("a", until=until, attempts=3))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert done.error.code == "device-unreachable"
    assert record.calls == ["run a", "until a", "until a", "until a", "undo a"]


async def test_an_answer_in_between_begins_the_count_of_failures_anew(database: Database) -> None:
    lost, nothing_yet = DeviceUnreachable("no answer"), Wait("x", None, poll_s=0)
    answers: list[Any] = [lost, nothing_yet, lost, nothing_yet, Done()]
    record = Record()

    async def until(_: Toy) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with running(database, [record.workflow(record.step("a", until=until, attempts=2))]) as engine:
        assert (await carry_out(engine, database)).state is OperationState.SUCCEEDED


async def test_run_is_not_repeated_while_waiting(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a", until=waiting_for("agent", lambda: False)))
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
    async with running(database, [workflow]) as engine:
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        await eventually_called(record, "until a", 2)
        operation = await until_asleep(database, operation)
    assert operation.phase is Phase.UNTIL
    assert record.calls.count("run a") == 1


async def test_the_waiting_line_says_how_long_the_work_before_took(
    database: Database, clock: FakeClock
) -> None:
    async def run(_: Toy) -> None:
        clock.advance(7)

    record = Record()
    workflow = record.workflow(
        record.step("a", run, until=waiting_for("x", lambda: record.calls.count("until a") > 1))
    )
    async with running(database, [workflow]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        clock.advance(5)
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "x")
        await engine.wait_finished(operation.uuid, PATIENCE_S)
    durations = {entry.event: entry.duration_s for entry in await journal(database, operation)}
    assert durations[JournalEvent.WAITING] == 7
    assert durations[JournalEvent.DONE] == durations[JournalEvent.FINISHED] == 12
    entries = await journal(database, operation)
    assert seconds_between(entries[0].at, entries[-1].at) == 12
