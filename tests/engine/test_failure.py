"""Failing, trying again, and taking back; the same on SQLite and PostgreSQL."""

import asyncio
from typing import Any

import pytest

from bessemer.domain.operation import Operation, OperationState, PlanItem
from bessemer.engine.workflow import Change, Done, Wait
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.kernel.error import DeviceRefused, DeviceUnreachable, InvalidValue, Unavailable
from bessemer.store.database import Database, Transaction
from fakes.clock import FakeClock
from fakes.engine import (
    PATIENCE_S,
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
    raising,
    running,
    until_asleep,
)


async def test_a_failure_says_what_failed_and_takes_back_in_reverse_what_was_begun(
    database: Database,
) -> None:
    refused = DeviceRefused("The BMC said no.", hint="Check its licence.")
    record = Record()
    workflow = record.workflow(
        record.step("a"), record.step("b"), record.step("c", raising(refused)), record.step("d")
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.fault) == ("device-refused", "device")
    assert (done.error.message, done.error.hint) == ("The BMC said no.", "Check its licence.")
    assert done.error.step == "c"
    assert record.calls == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
    assert (await journal_lines(database, done))[4:] == [
        "started c", "failed c", "undone c", "undone b", "undone a", "finished",
    ]  # fmt: skip
    assert record.told[-1] == (Change.FAILED, "a")
    assert [change for change, _ in record.told].count(Change.FAILED) == 1


async def test_a_skipped_step_is_not_taken_back(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a"),
        record.step("b", when=lambda _: False),
        record.step("c", raising(DeviceRefused("no"))),
    )
    async with running(database, [workflow]) as engine:
        await carry_out(engine, database)
    assert record.calls == ["run a", "run c", "undo c", "undo a"]


async def test_an_error_that_says_retry_is_tried_again_after_a_durable_pause(
    database: Database, clock: FakeClock
) -> None:
    record = Record()
    run = failing_times(DeviceUnreachable("no answer"), 2)
    step = record.step("a", run, attempts=3, backoff=Backoff(first_s=8, factor=4, most_s=60))
    async with running(database, [record.workflow(step)]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        assert operation.attempt == 1
        assert operation.wake_at is not None
        assert 4 <= seconds_between(timestamp(clock), operation.wake_at) <= 8
    # The pause is a row: another process carries on.
    clock.advance(8)
    async with running(database, [record.workflow(step)]) as engine:
        await until_attempt(database, operation, 2)
        clock.advance(32)
        await poke(database)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a"] * 3
    entries = await journal(database, done)
    assert [(str(entry.event), entry.attempt) for entry in entries][:4] == [
        ("started", 1), ("retried", 1), ("retried", 2), ("done", 3),
    ]  # fmt: skip
    assert [entry.detail for entry in entries if entry.event == "retried"] == ["no answer"] * 2


async def until_attempt(database: Database, operation: Operation, attempt: int) -> None:
    async def is_there() -> bool:
        found = await look(database, operation)
        return found.attempt == attempt and found.state is OperationState.WAITING and found.owner is None

    await eventually(is_there)


async def test_a_signal_does_not_cut_the_pause_short(database: Database, clock: FakeClock) -> None:
    record = Record()
    step = record.step("a", failing_times(DeviceUnreachable("x"), 1), backoff=Backoff(first_s=60))
    async with running(database, [record.workflow(step)]) as engine:
        operation = await until_asleep(database, await enqueue(engine, database))
        async with database.write() as tx:
            await engine.signal(tx, operation.node_uuid, "agent")
        await carry_out(engine, database)  # another one, on another node: the engine is awake
        assert record.calls.count("run a") == 2
        clock.advance(60)
        await poke(database)
        await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert record.calls.count("run a") == 3


async def test_attempts_are_bounded(database: Database) -> None:
    record = Record()
    step = record.step("a", raising(DeviceUnreachable("no answer")), attempts=4)
    async with running(database, [record.workflow(step)]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert record.calls == ["run a"] * 4 + ["undo a"]


async def test_an_error_that_does_not_say_retry_is_not_tried_again(database: Database) -> None:
    record = Record()
    step = record.step("a", raising(InvalidValue("bad")), attempts=4)
    async with running(database, [record.workflow(step)]) as engine:
        await carry_out(engine, database)
    assert record.calls == ["run a", "undo a"]


async def test_a_call_that_takes_too_long_fails_and_is_named(database: Database) -> None:
    async def hang(_: Toy) -> None:
        await asyncio.Event().wait()

    record = Record()
    async with running(database, [record.workflow(record.step("slow", hang, timeout_s=0.05))]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert done.error.code == "deadline-exceeded"
    assert "'slow'" in done.error.message
    assert "0.05 seconds" in done.error.message


async def test_a_timeout_within_the_step_is_not_mistaken_for_its_deadline(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a", raising(TimeoutError())))]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert done.error.code == "internal-error"


@pytest.mark.parametrize(
    "error", [RuntimeError("first line\nsecond"), asyncio.CancelledError(), KeyError("x" * 1000)], ids=repr
)
async def test_an_unexpected_exception_is_a_defect_and_does_not_stop_the_engine(
    database: Database, error: Any
) -> None:
    record = Record()
    good = record.workflow(record.step("a"), kind="good")
    async with running(database, [record.workflow(record.step("a", raising(error))), good]) as engine:
        done = await carry_out(engine, database)
        assert done.error is not None
        assert (done.error.code, done.error.fault) == ("internal-error", "bug")
        assert type(error).__name__ in done.error.message
        assert "second" not in done.error.message
        assert len(done.error.message) < 400
        assert (await carry_out(engine, database, kind="good")).state is OperationState.SUCCEEDED


async def test_taking_back_is_tried_again_too(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", undo=failing_times(DeviceUnreachable("no answer"), 2), attempts=3),
        record.step("b", raising(DeviceRefused("no"))),
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert record.calls == ["run a", "run b", "undo b", "undo a", "undo a", "undo a"]
    assert (await journal_lines(database, done))[-4:] == ["retried a", "retried a", "undone a", "finished"]


async def test_a_step_that_cannot_be_taken_back_does_not_keep_the_others_from_it(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a"),
        record.step("b", undo=raising(DeviceRefused("stuck"))),
        record.step("c", raising(DeviceRefused("no")), undo=raising(RuntimeError("broken"))),
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert record.calls[-3:] == ["undo c", "undo b", "undo a"]
    assert done.error is not None
    assert done.error.message == "no"
    assert "'b'" in done.error.hint
    assert "stuck" in done.error.hint
    assert "'c'" in done.error.hint
    assert (await journal_lines(database, done))[-4:] == [
        "undo failed c",
        "undo failed b",
        "undone a",
        "finished",
    ]


async def test_a_plan_with_an_unknown_step_fails_in_front_of_it(database: Database) -> None:
    async def plan(_: Toy) -> Done:
        return Done(insert=[PlanItem("nowhere")])

    record = Record()
    async with running(database, [record.workflow(record.step("a", plan))]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert "'nowhere'" in done.error.message
    assert record.calls == ["run a", "undo a"]


async def test_a_condition_that_fails_fails_the_operation(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a"), record.step("b", when=lambda operation: operation.nonsense))
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert "'b'" in done.error.message
    assert record.calls == ["run a", "undo a"]


async def test_notes_that_are_not_json_fail_the_step_and_are_forgotten(database: Database) -> None:
    async def note(context: Toy) -> None:
        context.data["bad"] = object()

    async def good(context: Toy) -> None:
        context.data["good"] = 1

    record = Record()
    workflow = record.workflow(record.step("a", good), record.step("b", note))
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert done.error.code == "internal-error"
    assert done.data == {"good": 1}


@pytest.mark.parametrize("refusal", [RuntimeError, Unavailable])
@pytest.mark.parametrize("change", [Change.STARTED, Change.STEP, Change.SUCCEEDED])
async def test_a_change_that_cannot_be_told_is_not_true_and_fails_the_operation(
    database: Database, change: Change, refusal: type[Exception]
) -> None:
    """Also where trying again could help, as after an upgrade: only the database is waited for."""
    record = Record()

    async def refuse(tx: Transaction, operation: Operation, told: Change) -> None:
        if told is change:
            raise refusal("no room in the rack")
        await record.on_change(tx, operation, told)

    workflow = record.workflow(record.step("a"), on_change=refuse)
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert "no room in the rack" in done.error.message
    assert record.told[-1][0] is Change.FAILED


async def test_an_end_that_cannot_be_told_is_an_end_all_the_same(database: Database) -> None:
    async def refuse(tx: Transaction, operation: Operation, told: Change) -> None:
        if told is Change.FAILED:
            raise RuntimeError("no room in the rack")

    record = Record()
    workflow = record.workflow(record.step("a", raising(DeviceRefused("no"))), on_change=refuse)
    async with running(database, [workflow]) as engine:
        operation = await enqueue(engine, database)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        assert done.state is OperationState.FAILED
        assert done.error is not None
        assert done.error.message == "no"
        assert "no room in the rack" in done.error.hint
        # And the node is free for the next.
        await carry_out(engine, database, node_uuid=operation.node_uuid)


async def test_what_no_database_holds_of_a_devices_words_is_left_out_and_the_cause_stays(
    database: Database,
) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", undo=raising(DeviceRefused("stu\0ck"))),
        record.step("b", failing_times(DeviceUnreachable("starting\0\ud800", hint="\0wait"), 1)),
        record.step("c", raising(DeviceRefused("The BMC said \0no.", hint="Ask \0it."))),
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.message) == ("device-refused", "The BMC said no.")
    assert done.error.hint == "Ask it. Taking back step 'a' failed too: stuck"
    assert record.calls == ["run a", "run b", "run b", "run c", "undo c", "undo b", "undo a"]
    [retried] = [line.detail for line in await journal(database, done) if line.event == "retried"]
    assert retried == "starting wait"


async def test_what_no_database_holds_of_progress_and_reasons_is_left_out(database: Database) -> None:
    asked = False

    async def until(context: Toy) -> Done | Wait:
        nonlocal asked
        if asked:
            return Done(detail="well\0 done")
        asked = True
        await context.report(50.0, "wri\0ting")
        return Wait("agent", 60.0, poll_s=0.0, reason="its \ud800disk")

    record = Record()
    async with running(database, [record.workflow(record.step("a", until=until))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    assert [line.detail for line in await journal(database, done)][1:3] == ["its disk", "well done"]


class Unspeakable(DeviceRefused):
    """Nothing can be written of it, as in a defect of our own."""

    def __str__(self) -> str:
        raise ValueError("no words")


async def test_an_undo_of_which_nothing_can_be_written_is_made_once_and_the_others_after_it(
    database: Database,
) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a"),
        record.step("b", undo=raising(Unspeakable("x"))),
        record.step("c", raising(DeviceRefused("no"))),
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.message) == ("device-refused", "no")
    assert "Taking back step 'b' failed too: The engine failed" in done.error.hint
    assert record.calls == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
    assert record.told[-1][0] is Change.FAILED


async def test_an_undo_and_an_end_of_which_nothing_can_be_written_are_an_end_for_the_operator(
    database: Database,
) -> None:
    async def refuse(tx: Transaction, operation: Operation, told: Change) -> None:
        if told is Change.FAILED:
            raise RuntimeError("no room in the rack")

    record = Record()
    step = record.step("a", raising(DeviceRefused("no")), undo=raising(Unspeakable("x")))
    async with running(database, [record.workflow(step, on_change=refuse)]) as engine:
        done = await carry_out(engine, database)
    assert (done.state, done.owner) == (OperationState.FAILED, None)
    assert done.error is not None
    assert (done.error.message, done.error.fault) == ("no", "operator")
    assert "no room in the rack" in done.error.hint
    assert record.calls == ["run a", "undo a"]
