"""Spans of operations and their steps, whoever carries them out; on SQLite and PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, TraceIdRatioBased

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.engine import Engine
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import DeviceUnreachable
from bessemer.kernel.trace import TRACING, Kind, around, current, read_traceparent, span, span_of
from bessemer.store.conductor import register_conductor, unregister_conductor
from bessemer.store.database import Database
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
    failing_times,
    look,
    raising,
    running,
    waiting_for,
)
from fakes.traced import Kept, traced


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def kept() -> Iterator[Kept]:
    with traced() as kept:
        yield kept


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def own(span: ReadableSpan) -> int:
    return span.get_span_context().span_id


def trace(span: ReadableSpan) -> int:
    return span.get_span_context().trace_id


def said(span: ReadableSpan, name: str) -> object:
    return dict(span.attributes or {})[f"bessemer.{name}"]


async def asked_within_a_request(engine: Engine, database: Database, **fields: object) -> Operation:
    assert TRACING.tracer is not None
    with around(TRACING.tracer, "request", Kind.SERVER, None, {}):
        return await enqueue(engine, database, **fields)


async def test_an_operation_is_below_its_request_and_its_steps_are_below_it(
    database: Database, kept: Kept
) -> None:
    async def ask_the_machine(_: Toy) -> None:
        with span("GET /thing", Kind.CLIENT, {}):
            assert current() is not None

    record = Record()
    workflow = record.workflow(record.step("a", ask_the_machine), record.step("b"))
    async with running(database, [workflow]) as engine:
        asked = await asked_within_a_request(engine, database)
        await engine.wait_finished(asked.uuid, PATIENCE_S)
    request, operation, call = kept.one("request"), kept.one("toy"), kept.one("GET /thing")
    first, second = kept.one("a"), kept.one("b")
    assert {trace(one) for one in kept.spans} == {trace(request)}
    assert parent(operation) == own(request)
    assert parent(first) == parent(second) == own(operation)
    assert parent(call) == own(first)
    assert operation.start_time is not None
    assert first.start_time is not None
    assert operation.start_time <= first.start_time
    assert said(operation, "state") == "succeeded"
    for one in (operation, first):
        assert said(one, "operation") == asked.uuid
        assert said(one, "node") == asked.node_uuid
        assert said(one, "kind") == "toy"
    assert (said(first, "face"), said(first, "attempt"), said(first, "outcome")) == ("run", 1, "done")
    assert said(first, "conductor") == engine.incarnation


async def test_an_operation_that_was_taken_over_is_one_span(database: Database, kept: Kept) -> None:
    blocked, record = Blocked(), Record()
    # One that would not claim it again itself, having its hands full with what it lost.
    silent = replace(SETTINGS, heartbeat_interval_s=600, lease_s=6000, workers=1)
    async with running(database, [record.workflow(record.step("a", blocked))], settings=silent) as loser:
        asked = await asked_within_a_request(loser, database)
        await blocked.began.wait()
        await lose(database, await look(database, asked))
        heir = replace(SETTINGS, hostname="heir")
        async with running(database, [record.workflow(record.step("a"))], settings=heir) as engine:
            done = await engine.wait_finished(asked.uuid, PATIENCE_S)
        blocked.go_on.set()

        async def has_both() -> bool:
            return len(kept.named("a")) == 2

        await eventually(has_both)
    assert done.state is OperationState.SUCCEEDED
    operation = kept.one("toy")
    assert {parent(one) for one in kept.named("a")} == {own(operation)}
    assert {trace(one) for one in kept.spans} == {trace(operation)}
    by_conductor = {said(one, "conductor"): said(one, "outcome") for one in kept.named("a")}
    assert by_conductor == {loser.incarnation: "failed", engine.incarnation: "done"}


async def lose(database: Database, operation: Operation) -> None:
    """The holder is thought dead."""
    async with database.write() as tx:
        await register_conductor(tx, "host-z", "a-dead-incarnation", "", [])
        await change_operation(tx, operation.uuid, operation.fence, owner="a-dead-incarnation")
        await unregister_conductor(tx, "host-z", "a-dead-incarnation")


async def test_attempts_that_fail_wait_and_are_taken_back_are_told_apart(
    database: Database, kept: Kept
) -> None:
    outcome: list[bool] = []
    record = Record()
    again = failing_times(DeviceUnreachable("no answer"), 1)

    workflow = record.workflow(
        record.step("a", again, attempts=3),
        record.step("b", until=waiting_for("agent", lambda: len(outcome) > 0, poll_s=0.05)),
        record.step("c", raising(DeviceUnreachable("gone")), attempts=1),
        kind="toy",
    )
    async with running(database, [workflow]) as engine:
        asked = await asked_within_a_request(engine, database)

        async def waits() -> bool:
            return any(said(one, "outcome") == "waiting" for one in kept.named("b"))

        await eventually(waits)
        outcome.append(True)
        await engine.wait_finished(asked.uuid, PATIENCE_S)
    told = {
        name: [(said(one, "face"), said(one, "attempt"), said(one, "outcome")) for one in kept.named(name)]
        for name in "abc"
    }
    assert told["a"] == [("run", 1, "failed"), ("run", 2, "done"), ("undo", 1, "done")]
    assert told["b"][0] == ("run", 1, "done")
    assert ("until", 1, "waiting") in told["b"]
    assert told["b"][-2:] == [("until", 1, "done"), ("undo", 1, "done")]
    assert told["c"] == [("run", 1, "failed"), ("undo", 1, "done")]
    operation = kept.one("toy")
    assert said(operation, "state") == "failed"
    assert dict(operation.attributes or {})["error.type"] == "device-unreachable"
    assert not operation.status.is_ok
    assert "gone" not in str([(one.attributes, one.status.description) for one in kept.spans])


async def test_what_nobody_traced_asked_for_has_a_trace_that_follows_from_its_name(
    database: Database, kept: Kept
) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        done = await carry_out(engine, database)
    operation = kept.one("toy")
    assert (trace(operation), parent(operation)) == (span_of(done.uuid, within=None).trace_id, None)
    assert parent(kept.one("a")) == own(operation)


async def test_operations_that_others_start_belong_to_the_same_trace(database: Database, kept: Kept) -> None:
    record = Record()
    second: list[Operation] = []

    async def start_another(context: Toy) -> None:
        second.append(await enqueue(engine, database, kind="other"))

    workflows = [
        record.workflow(record.step("a", start_another)),
        record.workflow(record.step("b"), kind="other"),
    ]
    async with running(database, workflows) as engine:
        await asked_within_a_request(engine, database)

        async def is_told() -> bool:
            return len(kept.named("other")) == len(kept.named("toy")) == 1

        await eventually(is_told)
    assert parent(kept.one("other")) == own(kept.one("a"))
    assert trace(kept.one("other")) == trace(kept.one("request"))


async def test_one_that_is_cancelled_in_the_queue_is_told_too(database: Database, kept: Kept) -> None:
    record = Record()
    engine = Engine(database, [record.workflow(record.step("a"))], None, SETTINGS, database.clock)
    asked = await asked_within_a_request(engine, database)
    async with database.write() as tx:
        await engine.request_cancel(tx, asked.uuid, "not wanted")
    operation = kept.one("toy")
    assert said(operation, "state") == "cancelled"
    assert parent(operation) == own(kept.one("request"))


async def test_nothing_of_an_unsampled_trace_is_kept(database: Database) -> None:
    record = Record()
    with traced(ALWAYS_OFF) as kept:
        async with running(database, [record.workflow(record.step("a"))]) as engine:
            asked = await asked_within_a_request(engine, database)
            done = await engine.wait_finished(asked.uuid, PATIENCE_S)
            await carry_out(engine, database)
    noted = read_traceparent(done.traceparent)
    assert noted is not None
    assert not noted.is_sampled
    assert kept.spans == []


async def test_a_share_of_operations_is_sampled_whole_or_not_at_all(database: Database) -> None:
    record = Record()
    with traced(TraceIdRatioBased(0.5)) as kept:
        async with running(database, [record.workflow(record.step("a"))]) as engine:
            uuids = {(await carry_out(engine, database)).uuid for _ in range(30)}
    operations = {said(one, "operation") for one in kept.named("toy")}
    assert operations == {said(one, "operation") for one in kept.named("a")}
    assert operations < uuids
    assert operations


async def test_without_a_tracer_nothing_is_noted(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        assert (await carry_out(engine, database)).traceparent == ""
