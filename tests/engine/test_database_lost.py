"""A database that is away in the middle of a step: the step was cut short, and has not failed."""

import asyncio

import pytest

from bessemer.domain.operation import OperationState
from bessemer.engine.workflow import OnInterrupt, Verdict
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import DatabaseLost
from bessemer.store.database import Database
from bessemer.store.node import get_node
from fakes.engine import (
    PATIENCE_S,
    Record,
    Toy,
    carry_out,
    enqueue,
    failing_times,
    journal_lines,
    raising,
    running,
)
from fakes.tcp_proxy import tcp_proxy
from fixture_database import PostgresqlServer

LOST = DatabaseLost("The database cannot be reached.")


async def test_a_step_with_one_try_outlasts_a_database_that_is_away(
    family: str, database_url: str, postgresql: PostgresqlServer
) -> None:
    if family != "postgresql":
        pytest.skip("a file does not go away")
    record, is_cut = Record(), False
    async with tcp_proxy(postgresql.port) as proxy:
        through = database_url.replace(f":{postgresql.port}/", f":{proxy.port}/")
        far = await Database.open(through, clock=SystemClock())

        async def look_at_node(context: Toy) -> None:
            nonlocal is_cut
            if not is_cut:
                is_cut = True
                proxy.cut()
                asyncio.get_running_loop().call_later(0.3, proxy.mend)
            async with far.read() as tx:
                await get_node(tx, context.operation.node_uuid)

        step = record.step("a", look_at_node, attempts=1)
        async with running(far, [record.workflow(step)]) as engine:
            operation = await enqueue(engine, far)
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        await far.close()
    assert done.state is OperationState.SUCCEEDED, done.error
    assert record.calls.count("run a") > 1


async def test_a_step_that_may_be_repeated_is_run_again_without_a_try_being_counted(
    database: Database,
) -> None:
    record = Record()
    step = record.step("a", failing_times(LOST, 3), attempts=1)
    async with running(database, [record.workflow(step)]) as engine:
        done = await carry_out(engine, database)
    assert (done.state, record.calls) == (OperationState.SUCCEEDED, ["run a"] * 4)
    assert await journal_lines(database, done) == ["started a", *["resumed a"] * 3, "done a", "finished"]


async def test_a_step_that_must_not_be_repeated_looks_first(database: Database) -> None:
    record = Record()

    async def happened(_: Toy) -> Verdict:
        return Verdict.HAPPENED

    step = record.step("a", raising(LOST), check=happened, on_interrupt=OnInterrupt.CHECK)
    async with running(database, [record.workflow(step)]) as engine:
        done = await carry_out(engine, database)
    assert (done.state, record.calls) == (OperationState.SUCCEEDED, ["run a", "check a"])


async def test_a_step_of_which_nobody_can_say_how_far_it_came_fails(database: Database) -> None:
    record = Record()
    step = record.step("a", raising(LOST), on_interrupt=OnInterrupt.ASK)
    async with running(database, [record.workflow(step)]) as engine:
        done = await carry_out(engine, database)
    assert done.error is not None
    assert (done.error.code, record.calls.count("run a")) == ("interrupted", 1)


async def test_taking_back_outlasts_it_too(database: Database) -> None:
    record = Record()
    first = record.step("a", undo=failing_times(LOST, 2))
    workflow = record.workflow(first, record.step("b", raising(ValueError("x"))))
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.FAILED
    assert record.calls.count("undo a") == 3
    assert "undo failed a" not in await journal_lines(database, done)
