"""The engine beside others that write about its nodes, and with a database that goes away for a moment."""

import asyncio
from typing import Any

import pytest

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.workflow import Change, Done, OnInterrupt, Wait
from bessemer.kernel.clock import SystemClock
from bessemer.store.database import Database, Transaction
from bessemer.store.node import get_node, merge_node, update_node
from fakes.engine import (
    PATIENCE_S,
    Record,
    Toy,
    enqueue,
    running,
    until_asleep,
)
from fixture_database import PostgresqlServer


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


async def test_heartbeats_and_steps_do_not_block_each_other_for_good(database: Database) -> None:
    """Both write the node and then the operation. In different orders, PostgreSQL would find deadlocks."""
    beats = 60
    record = Record()

    async def on_change(tx: Transaction, operation: Operation, change: Change) -> None:
        await update_node(tx, operation.node_uuid, reservation=f"{change}")

    async def until(context: Toy) -> Done | Wait:
        async with context.write() as tx:
            await merge_node(tx, context.operation.node_uuid, "extra", {"looks": len(record.calls)})
            node = await get_node(tx, context.operation.node_uuid)
        return Done() if node.driver_internal_info.get("beats", 0) >= beats else Wait("agent", None)

    steps = [record.step(name, until=until) for name in "abc"]
    async with running(database, [record.workflow(*steps, on_change=on_change)]) as engine:
        asked = [await enqueue(engine, database) for _ in range(3)]

        async def beat(node_uuid: str) -> None:
            for number in range(1, beats + 1):
                async with database.write() as tx:
                    await merge_node(tx, node_uuid, "driver_internal_info", {"beats": number})
                    await engine.signal(tx, node_uuid, "agent")

        await asyncio.gather(*(beat(operation.node_uuid) for operation in asked))
        for operation in asked:
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
            assert done.state is OperationState.SUCCEEDED, done.error


@pytest.mark.parametrize("where", ["running", "waiting"])
async def test_a_database_that_goes_away_for_a_moment_costs_nothing_but_time(
    database: Database, postgresql: PostgresqlServer, where: str
) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite cannot go away")
    is_running, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: Toy) -> None:
        is_running.set()
        if where == "running":
            await go_on.wait()

    async def until(_: Toy) -> Any:
        return Done() if go_on.is_set() else Wait("agent", None, poll_s=0.05)

    record = Record()
    # The steps would fail if they were taken for interrupted: what was done must not be forgotten.
    steps = [record.step(name, work, until=until, on_interrupt=OnInterrupt.ASK) for name in "ab"]
    async with running(database, [record.workflow(*steps)]) as engine:
        operation = await enqueue(engine, database)
        await is_running.wait()
        if where == "waiting":
            await until_asleep(database, operation)
        await postgresql.command(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"
        )
        go_on.set()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert done.state is OperationState.SUCCEEDED, done.error
    assert [call for call in record.calls if call.startswith("run")] == ["run a", "run b"]
