"""A node that changes its conductor group takes its work along."""

from dataclasses import replace
from typing import Any

from bessemer.domain.operation import OperationState
from bessemer.engine.workflow import Wait
from bessemer.store.database import Database
from bessemer.store.node import update_node
from fakes.engine import PATIENCE_S, SETTINGS, Record, Toy, enqueue, look, running, until_asleep

OTHER = replace(SETTINGS, hostname="host-b", conductor_group="other")


async def for_ever(_: Toy) -> Any:
    return Wait(signal="never", timeout_s=None)


async def test_what_waits_is_ended_by_the_conductors_of_the_new_group(database: Database) -> None:
    record = Record()
    workflows = [record.workflow(record.step("a", until=for_ever))]
    async with running(database, workflows) as engine:
        operation = await enqueue(engine, database)
        await until_asleep(database, operation)
    async with database.write() as tx:
        await update_node(tx, operation.node_uuid, conductor_group="other")
    async with running(database, workflows, settings=OTHER) as engine:
        async with database.write() as tx:
            await engine.request_cancel(tx, operation.uuid, "no longer wanted")
        ended = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert ended.state is OperationState.CANCELLED


async def test_what_is_queued_is_carried_out_by_the_new_group_and_what_is_over_stays(
    database: Database,
) -> None:
    record = Record()
    workflows = [record.workflow(record.step("a"))]
    async with running(database, workflows) as engine:
        over = await enqueue(engine, database)
        await engine.wait_finished(over.uuid, PATIENCE_S)
    async with running(database, workflows, settings=replace(SETTINGS, conductor_group="third")) as engine:
        queued = await enqueue(engine, database, over.node_uuid)
    async with database.write() as tx:
        await update_node(tx, over.node_uuid, conductor_group="other")
    async with running(database, workflows, settings=OTHER) as engine:
        ended = await engine.wait_finished(queued.uuid, PATIENCE_S)
    assert ended.state is OperationState.SUCCEEDED
    assert (await look(database, over)).conductor_group == ""
