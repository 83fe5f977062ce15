"""Carrying out operations from start to end; the same on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import NewOperation, OperationState, PlanItem
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Change, Done
from bessemer.kernel.error import DeadlineExceeded, InternalError, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.conductor import list_conductors
from bessemer.store.database import Database, Transaction
from bessemer.store.node import get_node, update_node
from fakes.engine import (
    PATIENCE_S,
    SETTINGS,
    Record,
    Toy,
    a_node_uuid,
    carry_out,
    enqueue,
    journal,
    journal_lines,
    look,
    running,
    until_state,
)
from fakes.store import add_nodes


async def test_steps_run_in_order_and_the_journal_tells_of_each(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a"), record.step("b"))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    assert done.position == len(done.plan) == 2
    assert done.owner is None
    assert record.calls == ["run a", "run b"]
    assert await journal_lines(database, done) == ["started a", "done a", "started b", "done b", "finished"]
    entries = await journal(database, done)
    assert all(entry.owner == engine.incarnation and entry.fence == done.fence for entry in entries)
    assert all(entry.duration_s is not None for entry in entries if entry.event in ("done", "finished"))


async def test_the_workflow_is_told_of_every_change_in_order(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a"), record.step("b"))]) as engine:
        await carry_out(engine, database)
    assert record.told == [
        (Change.STARTED, "a"),
        (Change.STEP, "a"),
        (Change.STEP, "b"),
        (Change.SUCCEEDED, ""),
    ]


async def test_what_the_workflow_writes_becomes_true_with_the_change(database: Database) -> None:
    async def note(tx: Transaction, operation: Any, change: Change) -> None:
        await update_node(tx, operation.node_uuid, description=f"{change} {operation.position}")

    record = Record()
    workflow = record.workflow(record.step("a"), on_change=note)
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    async with database.read() as tx:
        assert (await get_node(tx, done.node_uuid)).description == "succeeded 1"


async def test_a_step_that_is_not_wanted_is_skipped(database: Database) -> None:
    record = Record()
    workflow = record.workflow(
        record.step("a", when=lambda operation: bool(operation.args.get("wanted"))), record.step("b")
    )
    async with running(database, [workflow]) as engine:
        without = await carry_out(engine, database)
        assert record.calls == ["run b"]
        assert (await journal_lines(database, without))[0] == "skipped a"
        await carry_out(engine, database, args={"wanted": True})
    assert record.calls == ["run b", "run a", "run b"]


async def test_an_operation_with_nothing_to_do_succeeds(database: Database) -> None:
    record = Record()
    async with running(database, [record.workflow(record.step("a", when=lambda _: False))]) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    assert record.told == [(Change.STARTED, "a"), (Change.SUCCEEDED, "")]


async def test_notes_of_one_step_are_seen_by_the_next_and_give_the_result(database: Database) -> None:
    async def write(context: Toy) -> None:
        context.data["found"] = {"disks": [1, 2]}

    async def read(context: Toy) -> None:
        assert context.operation.data == {"found": {"disks": [1, 2]}}
        context.data["result"] = len(context.data["found"]["disks"])

    record = Record()
    async with running(
        database, [record.workflow(record.step("a", write), record.step("b", read))]
    ) as engine:
        done = await carry_out(engine, database)
    assert (done.state, done.result) == (OperationState.SUCCEEDED, 2)


async def test_a_step_can_add_steps_right_behind_itself(database: Database) -> None:
    async def plan(_: Toy) -> Done:
        return Done("two found", insert=[PlanItem("extra", {"n": 1}, "first"), PlanItem("extra", {"n": 2})])

    seen: list[tuple[Any, str]] = []

    async def extra(context: Toy) -> None:
        seen.append((context.item.args["n"], context.item.title))

    record = Record()
    workflow = record.workflow(
        record.step("plan", plan), record.step("last"), extra=(record.step("extra", extra),)
    )
    async with running(database, [workflow]) as engine:
        done = await carry_out(engine, database)
    assert [item.step for item in done.plan] == ["plan", "extra", "extra", "last"]
    assert record.calls == ["run plan", "run extra", "run extra", "run last"]
    assert seen == [(1, "first"), (2, "")]
    assert [entry.title for entry in await journal(database, done) if entry.event == "done"] == [
        "plan", "first", "extra", "last",
    ]  # fmt: skip


async def test_steps_get_the_collaborators(database: Database) -> None:
    collaborators = {"power": object()}

    async def use(context: Toy) -> None:
        assert context.deps is collaborators

    record = Record()
    workflow = record.workflow(record.step("a", use))
    async with running(database, [workflow], deps=collaborators) as engine:
        assert (await carry_out(engine, database)).state is OperationState.SUCCEEDED


async def test_operations_of_one_node_run_one_after_the_other_in_order(database: Database) -> None:
    order: list[str] = []

    async def work(context: Toy) -> None:
        order.append(f"begin {context.operation.args['n']}")
        await asyncio.sleep(0)
        order.append(f"end {context.operation.args['n']}")

    record = Record()
    workflow = record.workflow(record.step("a", work))
    node = await a_node_uuid(database)
    async with running(database, [workflow]) as engine:
        async with database.write() as tx:
            asked = [
                await engine.enqueue(tx, NewOperation(node_uuid=node, kind="toy", args={"n": n}))
                for n in range(5)
            ]
        for operation in asked:
            await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert order == [f"{what} {n}" for n in range(5) for what in ("begin", "end")]


async def test_an_operation_that_is_not_exclusive_runs_beside_one_that_is(database: Database) -> None:
    release = asyncio.Event()

    async def hold(context: Toy) -> None:
        if context.operation.is_exclusive:
            await release.wait()

    record = Record()
    node = await a_node_uuid(database)
    async with running(database, [record.workflow(record.step("a", hold))]) as engine:
        exclusive = await enqueue(engine, database, node)
        await until_state(database, exclusive, OperationState.RUNNING)
        beside = await carry_out(engine, database, node_uuid=node, is_exclusive=False)
        assert beside.state is OperationState.SUCCEEDED
        assert (await look(database, exclusive)).state is OperationState.RUNNING
        release.set()
        await engine.wait_finished(exclusive.uuid, PATIENCE_S)


async def test_only_operations_of_the_own_group_are_carried_out(database: Database) -> None:
    record = Record()
    workflow = record.workflow(record.step("a"))
    async with running(database, [workflow]) as engine:
        other = await enqueue(engine, database, conductor_group="rack9")
        await carry_out(engine, database)
        assert (await look(database, other)).state is OperationState.QUEUED
    settings = replace(SETTINGS, hostname="host-b", conductor_group="rack9")
    async with running(database, [workflow], settings=settings) as engine:
        assert (await engine.wait_finished(other.uuid, PATIENCE_S)).state is OperationState.SUCCEEDED


async def test_only_known_kinds_and_versions_are_carried_out(database: Database) -> None:
    record = Record()
    newer = Gateway([record.workflow(record.step("a"), version=2), record.workflow(kind="other")])
    nodes = await add_nodes(database, {}, {})
    async with database.write() as tx:
        second = await newer.enqueue(tx, NewOperation(node_uuid=nodes[0].uuid, kind="toy"))
        other = await newer.enqueue(tx, NewOperation(node_uuid=nodes[1].uuid, kind="other"))
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        await carry_out(engine, database)
        assert (await look(database, second)).state is OperationState.QUEUED
        assert (await look(database, other)).state is OperationState.QUEUED
    both = [record.workflow(record.step("a")), record.workflow(record.step("a"), version=2)]
    async with running(database, both) as engine:
        done = await engine.wait_finished(second.uuid, PATIENCE_S)
        assert (done.state, done.version) == (OperationState.SUCCEEDED, 2)
        assert (await carry_out(engine, database)).version == 2


async def test_no_more_than_the_allowed_number_runs_at_once(database: Database) -> None:
    at_once = highest = 0
    release = asyncio.Event()

    async def work(_: Toy) -> None:
        nonlocal at_once, highest
        at_once += 1
        highest = max(highest, at_once)
        if at_once == 3:
            release.set()
        await release.wait()
        at_once -= 1

    record = Record()
    settings = replace(SETTINGS, workers=3)
    async with running(database, [record.workflow(record.step("a", work))], settings=settings) as engine:
        asked = [await enqueue(engine, database) for _ in range(8)]
        for operation in asked:
            await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert highest == 3


async def test_asking_for_an_unknown_kind_is_a_defect(database: Database) -> None:
    with pytest.raises(InternalError, match="no workflow 'toy'"):
        async with database.write() as tx:
            await Gateway().enqueue(tx, NewOperation(node_uuid=new_uuid(), kind="toy"))


async def test_an_operation_on_an_absent_node_is_refused(database: Database) -> None:
    record = Record()
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await Gateway([record.workflow(record.step("a"))]).enqueue(
                tx, NewOperation(node_uuid=new_uuid(), kind="toy")
            )


async def test_waiting_for_an_end_that_does_not_come_ends(database: Database) -> None:
    record = Record()
    gateway = Gateway([record.workflow(record.step("a"))])
    async with running(database, []) as engine:
        node = await a_node_uuid(database)
        async with database.write() as tx:
            operation = await gateway.enqueue(tx, NewOperation(node_uuid=node, kind="toy"))
        with pytest.raises(DeadlineExceeded):
            await engine.wait_finished(operation.uuid, 0.05)


async def test_an_operation_that_was_asked_for_in_a_block_that_failed_never_runs(database: Database) -> None:
    record = Record()
    node = await a_node_uuid(database)
    async with running(database, [record.workflow(record.step("a"))]) as engine:

        async def ask_and_fail() -> None:
            async with database.write() as tx:
                await engine.enqueue(tx, NewOperation(node_uuid=node, kind="toy"))
                raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError, match="on purpose"):
            await ask_and_fail()
        await carry_out(engine, database)
    assert record.calls == ["run a"]


async def test_the_engine_is_registered_while_it_runs_and_signs_off(database: Database) -> None:
    async with running(database, []) as engine:

        async def conductors() -> list[tuple[str, str, bool]]:
            async with database.read() as tx:
                found = await list_conductors(tx)
            return [(one.hostname, one.incarnation, one.is_online) for one in found]

        record = Record()
        async with running(
            database, [record.workflow(record.step("a"))], settings=replace(SETTINGS, hostname="host-b")
        ) as second:
            await carry_out(second, database)
            assert sorted(await conductors()) == [
                ("host-a", engine.incarnation, True),
                ("host-b", second.incarnation, True),
            ]
    assert [online for *_, online in await conductors()] == [False, False]
