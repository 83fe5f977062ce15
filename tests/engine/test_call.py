"""Calls: shared operations whose answers somebody waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import NewOperation, Operation
from bessemer.engine.call import Calls
from bessemer.engine.engine import Engine
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import OnInterrupt, Step, Workflow
from bessemer.kernel.clock import SystemClock, timestamp
from bessemer.kernel.error import (
    DeadlineExceeded,
    DeviceRefused,
    InternalError,
    Interrupted,
    NodeLocked,
    Unsupported,
)
from bessemer.store.call import delete_old_calls
from bessemer.store.database import Database
from bessemer.store.journal import list_entries
from bessemer.store.operation import list_operations
from fakes.engine import PATIENCE_S, SETTINGS, Record, Toy, enqueue, raising, running
from fakes.store import add_nodes

Start = Callable[[], Awaitable[Operation]]


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def shared(record: Record, run: Any, on_interrupt: OnInterrupt = OnInterrupt.ASK) -> Workflow[Any]:
    async def recorded(context: Toy) -> Any:
        record.calls.append("run look")
        return await run(context)

    return Workflow("look", (Step("look", recorded, on_interrupt, attempts=1),), is_shared=True)


async def answer_of(context: Toy) -> None:
    context.data["result"] = {"asked": context.operation.args["what"]}


def starting(gateway: Gateway | Engine, database: Database, node: str, **args: Any) -> Start:
    async def start() -> Operation:
        async with database.write() as tx:
            return await gateway.enqueue(tx, NewOperation(node_uuid=node, kind="look", args=args))

    return start


async def rows(database: Database, node: str) -> list[Operation]:
    async with database.read() as tx:
        return await list_operations(tx, node)


async def test_the_answer_comes_back_and_leaves_nothing_behind(database: Database) -> None:
    record = Record()
    (node,) = await add_nodes(database, {})
    async with running(database, [shared(record, answer_of)]) as engine:
        calls = Calls(database, engine.gateway)
        start = starting(engine, database, node.uuid, what="boot device")
        assert await calls.answer(start, "answer", PATIENCE_S) == {"asked": "boot device"}
        assert await rows(database, node.uuid) == []


async def test_a_call_does_not_wait_for_the_operation_at_work_on_its_node(database: Database) -> None:
    record = Record()
    (node,) = await add_nodes(database, {})
    release = asyncio.Event()

    async def hold(_: Toy) -> None:
        await release.wait()

    busy = record.workflow(record.step("hold", hold))
    async with running(database, [busy, shared(record, answer_of)]) as engine:
        long = await enqueue(engine, database, node_uuid=node.uuid)
        queued = await enqueue(engine, database, node_uuid=node.uuid)
        calls = Calls(database, engine.gateway)
        start = starting(engine, database, node.uuid, what="x")
        assert await calls.answer(start, "answer", PATIENCE_S) == {"asked": "x"}
        release.set()
        for operation in (long, queued):
            await engine.wait_finished(operation.uuid, PATIENCE_S)


async def test_calls_are_answered_while_every_worker_is_busy(database: Database) -> None:
    record = Record()
    busy_node, node = await add_nodes(database, {}, {})
    release = asyncio.Event()

    async def hold(_: Toy) -> None:
        await release.wait()

    busy = record.workflow(record.step("hold", hold))
    settings = replace(SETTINGS, workers=1, call_reserve=1)
    async with running(database, [busy, shared(record, answer_of)], settings=settings) as engine:
        long = await enqueue(engine, database, node_uuid=busy_node.uuid)
        calls = Calls(database, engine.gateway)
        asked = [
            calls.answer(starting(engine, database, node.uuid, what=n), "answer", PATIENCE_S)
            for n in range(5)
        ]
        assert await asyncio.gather(*asked) == [{"asked": n} for n in range(5)]
        release.set()
        await engine.wait_finished(long.uuid, PATIENCE_S)


@pytest.mark.parametrize(
    "error",
    [
        Unsupported("Not this machine.", hint="Another one."), DeviceRefused("No."), NodeLocked("Busy."),
    ],
    ids=lambda error: error.code,
)  # fmt: skip
async def test_the_error_comes_back_as_what_it_was(database: Database, error: Any) -> None:
    record = Record()
    (node,) = await add_nodes(database, {})
    async with running(database, [shared(record, raising(error))]) as engine:
        calls = Calls(database, engine.gateway)
        with pytest.raises(type(error)) as caught:
            await calls.answer(starting(engine, database, node.uuid), "answer", PATIENCE_S)
        assert type(caught.value) is type(error)
        assert str(caught.value) == str(error)
        assert record.calls.count("run look") == 1
        assert await rows(database, node.uuid) == []


async def test_a_defect_comes_back_as_an_internal_error(database: Database) -> None:
    (node,) = await add_nodes(database, {})
    async with running(database, [shared(Record(), raising(KeyError("x")))]) as engine:
        calls = Calls(database, engine.gateway)
        with pytest.raises(InternalError):
            await calls.answer(starting(engine, database, node.uuid), "answer", PATIENCE_S)


async def test_a_call_that_nobody_takes_on_is_gone_when_its_time_is_over(database: Database) -> None:
    (node,) = await add_nodes(database, {})
    gateway = Gateway([shared(Record(), answer_of)])
    calls = Calls(database, gateway)
    with pytest.raises(DeadlineExceeded, match="did not tell its boot device within"):
        await calls.answer(starting(gateway, database, node.uuid, what="x"), "tell its boot device", 0.05)
    assert await rows(database, node.uuid) == []


async def test_an_answer_that_comes_too_late_is_deleted_in_time(database: Database) -> None:
    record = Record()
    (node,) = await add_nodes(database, {})
    release = asyncio.Event()

    async def slow(_: Toy) -> None:
        await release.wait()

    async with running(database, [shared(record, slow)]) as engine:
        calls = Calls(database, engine.gateway)
        with pytest.raises(DeadlineExceeded):
            await calls.answer(starting(engine, database, node.uuid), "answer", 0.2)
        (left,) = await rows(database, node.uuid)
        release.set()
        await engine.wait_finished(left.uuid, PATIENCE_S)
        async with database.write() as tx:
            assert await delete_old_calls(tx, "look", "2000-01-01T00:00:00.000000+00:00") == 0
            assert await delete_old_calls(tx, "power", timestamp(tx.clock, after_s=1)) == 0
            assert await delete_old_calls(tx, "look", timestamp(tx.clock, after_s=1)) == 1
            assert await list_entries(tx, left.uuid) == []


@pytest.mark.parametrize("on_interrupt", [OnInterrupt.ASK, OnInterrupt.IDEMPOTENT])
async def test_only_a_call_that_may_be_repeated_is_made_again_when_its_conductor_dies(
    database: Database, on_interrupt: OnInterrupt
) -> None:
    """Of another one nobody can say whether the machine was told: the caller learns just that."""
    (node,) = await add_nodes(database, {})
    record = Record()
    gateway = Gateway([shared(record, answer_of, on_interrupt)])
    calls = Calls(database, gateway)
    asking = asyncio.create_task(
        calls.answer(starting(gateway, database, node.uuid, what="x"), "answer", PATIENCE_S)
    )
    begun = asyncio.Event()

    async def stuck(_: Toy) -> None:
        begun.set()
        await asyncio.Event().wait()

    quick = replace(SETTINGS, graceful_stop_s=0.0)
    async with running(database, [shared(Record(), stuck, on_interrupt)], settings=quick):
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
    peer = replace(SETTINGS, hostname="host-b")
    async with running(database, [shared(record, answer_of, on_interrupt)], settings=peer):
        if on_interrupt is OnInterrupt.IDEMPOTENT:
            assert await asking == {"asked": "x"}
        else:
            with pytest.raises(Interrupted):
                await asking
    assert record.calls == (["run look"] if on_interrupt is OnInterrupt.IDEMPOTENT else [])


def test_a_call_is_one_step_that_takes_nothing_back() -> None:
    record = Record()
    step = record.step("look", undo=answer_of)
    for wrong in ((step,), (step, record.step("again"))):
        with pytest.raises(ValueError, match="more than a call"):
            Workflow("look", wrong, is_shared=True)
