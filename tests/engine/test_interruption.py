"""Being cut short and taken up again, within one test process; ``test_kill.py`` does it with ``kill -9``.

The process is let go of in the middle of a call: its engine is stopped without any grace, which leaves the
record exactly as a killed process leaves it, but for the owner.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import Operation, OperationState, Phase
from bessemer.engine.workflow import Done, OnInterrupt, Verdict, Workflow
from bessemer.kernel.error import DeviceUnreachable
from bessemer.store.database import Database
from fakes.engine import (
    PATIENCE_S,
    SETTINGS,
    Record,
    Toy,
    enqueue,
    failing_times,
    journal_lines,
    look,
    raising,
    running,
    waiting_for,
)

AT_ONCE = replace(SETTINGS, graceful_stop_s=0)


class Snag:
    """A face that hangs the first time and returns ``then`` later: a process dies in it."""

    def __init__(self, then: Any = None) -> None:
        self.is_there = asyncio.Event()
        self._is_first = True
        self._then = then

    async def __call__(self, _: Toy) -> Any:
        if self._is_first:
            self._is_first = False
            self.is_there.set()
            await asyncio.Event().wait()
        return self._then


async def interrupted_in(database: Database, workflows: Iterable[Workflow[Any]], snag: Snag) -> Operation:
    """The operation after its process has gone in the middle of ``snag``."""
    async with running(database, workflows, settings=AT_ONCE) as engine:
        operation = await enqueue(engine, database)
        await asyncio.wait_for(snag.is_there.wait(), PATIENCE_S)
    operation = await look(database, operation)
    assert operation.owner is None
    return operation


async def finished(database: Database, workflows: Iterable[Workflow[Any]], operation: Operation) -> Operation:
    async with running(database, workflows) as engine:
        return await engine.wait_finished(operation.uuid, PATIENCE_S)


async def test_an_idempotent_step_is_run_again(database: Database) -> None:
    record, snag = Record(), Snag()
    workflows = [record.workflow(record.step("a", snag), record.step("b"))]
    operation = await interrupted_in(database, workflows, snag)
    assert (operation.state, operation.phase, operation.attempt) == (OperationState.RUNNING, Phase.RUN, 1)
    done = await finished(database, workflows, operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "run a", "run b"]
    assert (await journal_lines(database, done))[:3] == ["started a", "resumed a", "done a"]
    assert done.fence == operation.fence + 1


async def test_a_step_that_can_look_is_not_run_again_when_it_was_done(database: Database) -> None:
    async def happened(_: Toy) -> Verdict:
        return Verdict.HAPPENED

    record, snag = Record(), Snag()
    step = record.step("a", snag, check=happened, on_interrupt=OnInterrupt.CHECK)
    operation = await interrupted_in(database, [record.workflow(step, record.step("b"))], snag)
    done = await finished(database, [record.workflow(step, record.step("b"))], operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "check a", "run b"]


async def test_after_looking_the_outcome_is_still_waited_for(database: Database) -> None:
    async def happened(_: Toy) -> Verdict:
        return Verdict.HAPPENED

    record, snag = Record(), Snag()
    step = record.step(
        "a", snag, until=waiting_for("x", lambda: True), check=happened, on_interrupt=OnInterrupt.CHECK
    )
    operation = await interrupted_in(database, [record.workflow(step)], snag)
    await finished(database, [record.workflow(step)], operation)
    assert record.calls == ["run a", "check a", "until a"]


async def test_a_step_that_can_look_is_run_when_it_was_not_done(database: Database) -> None:
    async def absent(_: Toy) -> Verdict:
        return Verdict.ABSENT

    record, snag = Record(), Snag()
    step = record.step("a", snag, check=absent, on_interrupt=OnInterrupt.CHECK)
    operation = await interrupted_in(database, [record.workflow(step)], snag)
    done = await finished(database, [record.workflow(step)], operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "check a", "run a"]


async def test_a_step_is_not_run_before_looking_has_succeeded(database: Database) -> None:
    record, snag = Record(), Snag()
    check = failing_times(DeviceUnreachable("no answer"), 2, then=Verdict.HAPPENED)
    step = record.step("a", snag, check=check, on_interrupt=OnInterrupt.CHECK, attempts=3)
    operation = await interrupted_in(database, [record.workflow(step)], snag)
    done = await finished(database, [record.workflow(step)], operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "check a", "check a", "check a"]


async def test_an_interruption_while_looking_is_followed_by_looking(database: Database) -> None:
    record, snag, second = Record(), Snag(), Snag(Verdict.HAPPENED)
    step = record.step("a", snag, check=second, on_interrupt=OnInterrupt.CHECK)
    operation = await interrupted_in(database, [record.workflow(step)], snag)
    async with running(database, [record.workflow(step)], settings=AT_ONCE):
        await asyncio.wait_for(second.is_there.wait(), PATIENCE_S)
    done = await finished(database, [record.workflow(step)], operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "check a", "check a"]


async def test_a_step_that_must_ask_fails_and_the_machine_is_left_safe(database: Database) -> None:
    record, snag = Record(), Snag()
    workflows = [record.workflow(record.step("a"), record.step("flash", snag, on_interrupt=OnInterrupt.ASK))]
    operation = await interrupted_in(database, workflows, snag)
    done = await finished(database, workflows, operation)
    assert done.state is OperationState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.fault, done.error.step) == ("interrupted", "operator", "flash")
    assert done.error.hint
    assert record.calls == ["run a", "run flash", "undo flash", "undo a"]


async def test_a_wait_is_simply_gone_on_with(database: Database) -> None:
    record, snag = Record(), Snag(then=Done())
    step = record.step("a", until=snag, on_interrupt=OnInterrupt.ASK)
    operation = await interrupted_in(database, [record.workflow(step)], snag)
    done = await finished(database, [record.workflow(step)], operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "until a", "until a"]


async def test_taking_back_goes_on_where_it_was(database: Database) -> None:
    record, snag = Record(), Snag()
    workflows = [
        record.workflow(
            record.step("a"), record.step("b", undo=snag), record.step("c", raising(RuntimeError("broken")))
        )
    ]
    operation = await interrupted_in(database, workflows, snag)
    assert operation.phase is Phase.UNDO
    done = await finished(database, workflows, operation)
    assert done.state is OperationState.FAILED
    assert record.calls == ["run a", "run b", "run c", "undo c", "undo b", "undo b", "undo a"]
    assert done.error is not None
    assert "broken" in done.error.message


@pytest.mark.parametrize("is_abortable", [True, False])
async def test_what_was_interrupted_and_is_to_be_cancelled_is_not_begun_anew_if_it_may_be_aborted(
    database: Database, is_abortable: bool
) -> None:
    record, snag = Record(), Snag()
    workflows = [record.workflow(record.step("a", snag, is_abortable=is_abortable), record.step("b"))]
    operation = await interrupted_in(database, workflows, snag)
    async with running(database, []) as engine:
        engine.gateway.register(workflows)
        async with database.write() as tx:
            await engine.request_cancel(tx, operation.uuid, "stop")
    done = await finished(database, workflows, operation)
    assert done.state is OperationState.CANCELLED
    assert record.calls == (["run a", "undo a"] if is_abortable else ["run a", "run a", "undo a"])


async def test_a_graceful_stop_lets_a_step_end_and_begins_no_other(database: Database) -> None:
    is_running, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: Toy) -> None:
        is_running.set()
        await go_on.wait()

    record = Record()
    step = record.step("a", work, on_interrupt=OnInterrupt.ASK)
    workflows = [record.workflow(step, record.step("b", on_interrupt=OnInterrupt.ASK))]
    patient = replace(SETTINGS, graceful_stop_s=PATIENCE_S)
    async with running(database, workflows, settings=patient) as engine:
        operation = await enqueue(engine, database)
        await is_running.wait()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
    operation = await look(database, operation)
    assert (operation.position, operation.attempt, operation.owner) == (1, 0, None)
    assert record.calls == ["run a"]
    done = await finished(database, workflows, operation)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "run b"]
