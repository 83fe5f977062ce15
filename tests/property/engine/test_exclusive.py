"""Two hundred operations on a handful of nodes, from two conductors: one at a time per node, and in order."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.engine.workflow import Done, Wait
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import Conflict, DeviceRefused, DeviceUnreachable
from bessemer.store.database import Database
from fakes.engine import PATIENCE_S, SETTINGS, Record, Toy, running
from fakes.store import add_nodes

OPERATIONS, NODES = 200, 12


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


class Floor:
    """Where the machines stand: sees who works on which, and when two do at once."""

    def __init__(self) -> None:
        self.working: Counter[str] = Counter()
        self.overlaps: list[str] = []
        self.order: dict[str, list[int]] = defaultdict(list)

    async def run(self, context: Toy) -> None:
        operation = context.operation
        if operation.attempt == 1:
            self.order[operation.node_uuid].append(operation.args["number"])
        self.working[operation.node_uuid] += 1
        if self.working[operation.node_uuid] > 1:
            self.overlaps.append(operation.node_uuid)
        for _ in range(operation.args["slowness"]):
            await asyncio.sleep(0)
        self.working[operation.node_uuid] -= 1
        match operation.args["fate"]:
            case "refused":
                raise DeviceRefused("no")
            case "unreachable" if operation.attempt == 1:
                raise DeviceUnreachable("no answer")

    async def until(self, context: Toy) -> Done | Wait:
        left = context.data["left"] = context.data.get("left", context.operation.args["polls"]) - 1
        return Done() if left < 0 else Wait("never", None, poll_s=0.0)


@pytest.mark.parametrize("seed", [1])
async def test_operations_of_a_node_never_overlap_and_keep_their_order(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    floor, record = Floor(), Record()
    workflow = record.workflow(record.step("a", floor.run, until=floor.until), record.step("b"))
    nodes = [node.uuid for node in await add_nodes(database, *({} for _ in range(NODES)))]
    asked: list[Operation] = []
    second = replace(SETTINGS, hostname="host-b")
    async with running(database, [workflow]) as engine, running(database, [workflow], settings=second):
        for number in range(OPERATIONS):
            args = {
                "number": number,
                "slowness": dice.randrange(20),
                "polls": dice.choice([0, 0, 1, 3]),
                "fate": dice.choice(["fine", "fine", "fine", "refused", "unreachable"]),
            }
            async with database.write() as tx:
                new = NewOperation(node_uuid=dice.choice(nodes), kind="toy", args=args)
                asked.append(await engine.enqueue(tx, new))
            if dice.random() < 0.1:
                await cancel_some(engine, database, dice.choice(asked))
        ended = [await engine.wait_finished(operation.uuid, PATIENCE_S * 2) for operation in asked]
    assert floor.overlaps == []
    assert all(numbers == sorted(numbers) for numbers in floor.order.values())
    for operation in ended:
        expected = OperationState.FAILED if operation.args["fate"] == "refused" else OperationState.SUCCEEDED
        assert operation.state in (expected, OperationState.CANCELLED)
        assert (operation.state is OperationState.CANCELLED) <= (operation.cancel_reason is not None)
        assert operation.owner is None
    ran = {number for numbers in floor.order.values() for number in numbers}
    never = {operation.args["number"] for operation in ended} - ran
    assert all(ended[number].state is OperationState.CANCELLED for number in never)


async def cancel_some(engine: object, database: Database, operation: Operation) -> None:
    try:
        async with database.write() as tx:
            await engine.request_cancel(tx, operation.uuid, "changed my mind")  # type: ignore[attr-defined]
    except Conflict:
        pass  # over already
