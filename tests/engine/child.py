"""A program that carries out toy operations in processes of its own, which die where they are told to.

It forks a child for each life it is asked for, one JSON object per line of standard input, and answers with
a line of how the child ended. Everything is imported once, before the forks.

A *moment* is a point where a life can end: before and after each commit, and on entering and leaving each
face of each step. A life with ``kill_at`` N sends itself SIGKILL at its Nth moment.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from bessemer.config.settings import RedfishSettings
from bessemer.domain.operation import Operation
from bessemer.engine.engine import Engine, EngineSettings
from bessemer.engine.workflow import Change, Context, Done, OnInterrupt, Step, Verdict, Wait, Workflow
from bessemer.hardware.redfish.access import Access, AuthType
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import DeviceRefused, FenceLost
from bessemer.kernel.secret import Secret
from bessemer.store.database import Database, Transaction
from bessemer.store.event import add_event
from bessemer.store.node import update_node


class Moments:
    """Counts down to the end of this life."""

    def __init__(self, kill_at: int | None) -> None:
        self._left = kill_at

    def passed(self) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    moments: Moments

    def write(self, *, is_urgent: bool = False) -> AbstractAsyncContextManager[Transaction]:
        return super().write(is_urgent=True) if is_urgent else self._mortal_write()

    @asynccontextmanager
    async def _mortal_write(self) -> AsyncIterator[Transaction]:
        async with super().write() as tx:
            yield tx
            self.moments.passed()
        self.moments.passed()


class World:
    """The machine that the steps change: a file to which each side effect adds a line."""

    def __init__(self, path: Path, moments: Moments) -> None:
        self._path = path
        self._moments = moments

    def happen(self, what: str) -> None:
        self._moments.passed()
        self.note(what)
        self._moments.passed()

    def note(self, what: str) -> None:
        with self._path.open("a") as file:
            file.write(f"{what}\n")

    def count(self, what: str) -> int:
        return self._path.read_text().splitlines().count(what) if self._path.exists() else 0


Toy = Context[World]


def step(name: str, on_interrupt: OnInterrupt = OnInterrupt.IDEMPOTENT, **more: Any) -> Step[World]:
    async def run(context: Toy) -> None:
        context.deps.happen(f"run {name}")

    async def undo(context: Toy) -> None:
        context.deps.happen(f"undo {name}")

    async def check(context: Toy) -> Verdict:
        context.deps.happen(f"check {name}")
        return Verdict.HAPPENED if context.deps.count(f"run {name}") else Verdict.ABSENT

    more = {"run": run, "undo": undo, **more}
    if on_interrupt is OnInterrupt.CHECK:
        more["check"] = check
    return Step(name, on_interrupt=on_interrupt, **more)


async def third_look(context: Toy) -> Done | Wait:
    context.deps.happen("until b")
    return Done() if context.deps.count("until b") >= 3 else Wait("agent", 60, poll_s=0.001)


async def refuse(context: Toy) -> None:
    context.deps.happen("run z")
    raise DeviceRefused("no")


async def die(context: Toy) -> None:
    context.deps.note("run deadly")
    os.kill(os.getpid(), signal.SIGKILL)


async def hang(context: Toy) -> None:
    """Comes to a stop in the middle, and then tries to write."""
    context.deps.note(f"run slow {os.getpid()}")
    if context.deps.count("run slow " + str(os.getpid())) and context.operation.fence > 1:
        return
    try:
        while not context.deps.count("go on"):  # noqa: ASYNC110  the sign comes from another process
            await asyncio.sleep(0.01)
        async with context.write() as tx:
            await update_node(tx, context.operation.node_uuid, description="written by the loser")
        context.deps.note("the loser wrote")
    except FenceLost:
        context.deps.note("the loser was refused")
        raise
    except asyncio.CancelledError:
        context.deps.note("the loser was stopped")
        raise


async def call_late(context: Toy) -> None:
    """Is frozen in the last moment before it changes something at a BMC."""
    pool = BmcPool(RedfishSettings())
    bmc = pool.connection(bmc_access(context.operation.args["bmc"]))
    await bmc.get(SYSTEM)
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        await bmc.post(RESET, {"ResetType": "ForceOff"})
        context.deps.note("the loser called")
    except FenceLost:
        context.deps.note("the loser was refused")
        raise
    finally:
        await pool.close()


SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def bmc_access(origin: str) -> Access:
    return Access(origin, username="admin", password=Secret("password"), auth_type=AuthType.BASIC)


async def on_change(tx: Transaction, operation: Operation, change: Change) -> None:
    plan, position = operation.plan, operation.position
    name = plan[position].step if position < len(plan) else ""
    await add_event(tx, node_uuid=operation.node_uuid, kind=f"{change} {name}".strip())


_CHECK, _ASK = OnInterrupt.CHECK, OnInterrupt.ASK

WORKFLOWS = (
    Workflow(
        "good",
        (step("a"), step("b", _CHECK, until=third_look), step("c", _CHECK), step("d")),
        on_change=on_change,
    ),
    Workflow("asking", (step("a"), step("x", _ASK), step("c")), on_change=on_change),
    Workflow("doomed", (step("a"), step("c", _CHECK), step("z", run=refuse)), on_change=on_change),
    Workflow("deadly", (step("a"), step("deadly", run=die)), on_change=on_change),
    Workflow("hanging", (step("slow", run=hang),), on_change=on_change),
    Workflow("late", (step("late", run=call_late),), on_change=on_change),
)


async def live(url: str, order: dict[str, Any]) -> None:
    """Carry out operations until the one asked for is over."""
    moments = Moments(order.get("kill_at"))
    database = await MortalDatabase.open(url, clock=SystemClock())
    database.moments = moments
    world = World(Path(order["world"]), moments)
    settings = EngineSettings(hostname="child", graceful_stop_s=1, **order.get("settings", {}))
    engine = Engine(database, WORKFLOWS, world, settings, SystemClock())
    task = asyncio.create_task(engine.run())
    await engine.wait_finished(order["operation"], 60)
    task.cancel()
    await asyncio.wait((task,))
    await database.close()


def main() -> None:
    url = sys.argv[1]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # answers are the parent's; logs are not
            asyncio.run(live(url, json.loads(line)))
            os._exit(0)
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"end": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
