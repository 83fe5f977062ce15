"""Engines under limits: more wait in the queue, none is refused, and the queue goes on as others end."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.limit import Limit
from bessemer.domain.operation import NewOperation, OperationState
from bessemer.engine.settings import EngineSettings
from bessemer.engine.workflow import Done, OnInterrupt, Step, Wait, Workflow
from bessemer.kernel.clock import SystemClock
from bessemer.store.database import Database
from fakes.engine import PATIENCE_S, SETTINGS, Toy, carry_out, nothing, running
from fakes.store import add_nodes

LIMITED = replace(SETTINGS, limits={"deploy": Limit(everywhere=3)}, poll_s=60.0)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


class Floor:
    """Sees how many are deployed at the same time."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most = 0

    async def begin(self, context: Toy) -> None:
        self.now[context.operation.uuid] += 1
        self.most = max(self.most, self.now.total())

    async def until(self, context: Toy) -> Done | Wait:
        if context.data.setdefault("looks", 0) < 2:
            context.data["looks"] += 1
            return Wait("agent", None, poll_s=0.01)
        return Done()

    async def end(self, context: Toy) -> None:
        del self.now[context.operation.uuid]

    def workflow(self) -> Workflow[object]:
        steps = (
            Step("begin", self.begin, OnInterrupt.IDEMPOTENT, until=self.until),
            Step("end", self.end, OnInterrupt.IDEMPOTENT),
        )
        return Workflow("deploy", steps, pool="deploy")


async def test_two_conductors_keep_to_one_limit_and_carry_everything_out(database: Database) -> None:
    floor = Floor()
    second = replace(LIMITED, hostname="host-b")
    nodes = await add_nodes(database, *({} for _ in range(20)))
    async with (
        running(database, [floor.workflow()], settings=LIMITED) as engine,
        running(database, [floor.workflow()], settings=second),
    ):
        asked = []
        for node in nodes:
            async with database.write() as tx:
                asked.append(await engine.enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy")))
        ended = await asyncio.gather(*(engine.wait_finished(one.uuid, PATIENCE_S * 2) for one in asked))
    assert {one.state for one in ended} == {OperationState.SUCCEEDED}
    assert floor.most == 3


async def test_what_has_no_limit_goes_on_while_a_limit_is_reached(database: Database) -> None:
    is_open = asyncio.Event()

    async def until(_: Toy) -> Done | Wait:
        return Done() if is_open.is_set() else Wait("agent", None, poll_s=0.05)

    held = Step("hold", nothing, OnInterrupt.IDEMPOTENT, until=until)
    power = Workflow("power", (Step("switch", nothing, OnInterrupt.IDEMPOTENT),))
    workflows = [Workflow("deploy", (held,), pool="deploy"), power]
    nodes = await add_nodes(database, *({} for _ in range(6)))
    async with running(database, workflows, settings=LIMITED) as engine:
        asked = []
        for node in nodes:
            async with database.write() as tx:
                asked.append(await engine.enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy")))
        done = await carry_out(engine, database, kind="power")
        assert done.state is OperationState.SUCCEEDED
        is_open.set()
        await asyncio.gather(*(engine.wait_finished(one.uuid, PATIENCE_S) for one in asked))


def driving(host: str, driver: str) -> EngineSettings:
    offered = ConductorInterface(
        hardware_type=driver, interface_type=InterfaceType.POWER, interface_name=driver
    )
    one = {"deploy": Limit(everywhere=1)}
    return replace(LIMITED, hostname=host, limits=one, interfaces=(offered,))


async def test_a_conductor_that_is_always_first_leaves_others_their_turns(database: Database) -> None:
    """One slot, and a conductor that could fill it again the moment it is free."""
    ended: list[str] = []
    many = await add_nodes(database, *({"driver": "redfish"} for _ in range(12)))
    few = await add_nodes(database, *({"driver": "ipmi"} for _ in range(2)))

    async def run(context: Toy) -> None:
        async with context.write() as tx:
            tx.after_commit(lambda: ended.append(context.operation.project))

    workflow = Workflow("deploy", (Step("a", run, OnInterrupt.IDEMPOTENT),), pool="deploy")
    redfish, ipmi = driving("host-a", "redfish"), driving("host-b", "ipmi")
    async with (
        running(database, [workflow], settings=redfish) as engine,
        running(database, [workflow], settings=ipmi),
    ):
        async with database.write() as tx:
            asked = [
                await engine.enqueue(
                    tx, NewOperation(node_uuid=node.uuid, kind="deploy", project=node.driver)
                )
                for node in (*many, *few)
            ]
        for one in asked:
            await engine.wait_finished(one.uuid, PATIENCE_S * 2)
    assert ended.count("ipmi") == 2
    # Two projects with the same rights take turns, whoever drives what they asked for.
    assert ended[:6].count("ipmi") == 2
