"""Toy workflows and engines for tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bessemer.domain.operation import (
    JournalEntry,
    NewOperation,
    Operation,
    OperationState,
)
from bessemer.engine.engine import Engine, EngineSettings
from bessemer.engine.gateway import WORK
from bessemer.engine.workflow import Change, Context, Done, OnInterrupt, Step, Wait, Workflow
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.clock import Clock
from bessemer.kernel.error import FenceLost
from bessemer.store.database import Database, Transaction
from bessemer.store.journal import list_entries
from bessemer.store.node import update_node
from bessemer.store.operation import get_operation
from fakes.store import add_nodes

#: Longest wait for anything in a test, in seconds.
PATIENCE_S = 60.0

#: With a lease that does not end because the machine is busy or stands still for a moment: a step that is cut
#: short by that is begun anew, and its test counts how often it was.
SETTINGS = EngineSettings(
    hostname="host-a",
    heartbeat_interval_s=0.2,
    lease_s=60.0,
    graceful_stop_s=2.0,
    poll_s=1.0,
)
#: For tests that wait until a lease has ended; long enough for a moment of standstill.
BRIEF = replace(SETTINGS, lease_s=3.0)
NO_PAUSE = Backoff(first_s=0.0)

Toy = Context[Any]
Face = Callable[[Toy], Awaitable[Any]]


class Record:
    """What happened, in order: calls of faces and changes told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.told: list[tuple[Change, str]] = []

    async def on_change(self, tx: Transaction, operation: Operation, change: Change) -> None:
        plan = operation.plan
        step = plan[operation.position].step if operation.position < len(plan) else ""
        tx.after_commit(lambda: self.told.append((change, step)))

    def step(
        self,
        name: str,
        run: Face | None = None,
        *,
        until: Face | None = None,
        undo: Face | None = None,
        check: Face | None = None,
        on_interrupt: OnInterrupt = OnInterrupt.IDEMPOTENT,
        **more: Any,
    ) -> Step[Any]:
        """A step whose faces are recorded as ``run name``, ``until name`` and so on when they are called."""
        return Step(
            name,
            self._recorded(f"run {name}", run or nothing),
            on_interrupt,
            until=until and self._recorded(f"until {name}", until),
            undo=self._recorded(f"undo {name}", undo or nothing),
            check=check and self._recorded(f"check {name}", check),
            backoff=more.pop("backoff", NO_PAUSE),
            **more,
        )

    def workflow(self, *steps: Step[Any], **more: Any) -> Workflow[Any]:
        return Workflow(
            more.pop("kind", "toy"), steps, on_change=more.pop("on_change", self.on_change), **more
        )

    def _recorded(self, name: str, face: Face) -> Face:
        async def call(context: Toy) -> Any:
            self.calls.append(name)
            return await face(context)

        return call


class Blocked:
    """A run that goes on only when told to, and then tries to write."""

    def __init__(self) -> None:
        self.began, self.go_on, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.outcome: type[BaseException] | None = None

    async def __call__(self, context: Toy) -> None:
        self.began.set()
        try:
            await self.go_on.wait()
            async with context.write() as tx:
                await update_node(tx, context.operation.node_uuid, description="written by the loser")
        except (FenceLost, asyncio.CancelledError) as error:
            self.outcome = type(error)
            raise
        finally:
            self.over.set()


async def nothing(_: Toy) -> None:
    return None


def raising(error: Exception) -> Face:
    async def fail(_: Toy) -> None:
        raise error

    return fail


def failing_times(error: Exception, times: int, then: Any = None) -> Face:
    """A face that raises ``error`` the first ``times`` times."""
    left = [times]

    async def face(_: Toy) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return then

    return face


def waiting_for(
    signal: str, done: Callable[[], bool], *, timeout_s: float | None = None, **more: Any
) -> Face:
    """An ``until`` that waits for ``signal`` while ``done`` says no."""

    async def until(_: Toy) -> Done | Wait:
        return Done() if done() else Wait(signal, timeout_s, **more)

    return until


@asynccontextmanager
async def running(
    database: Database,
    workflows: Iterable[Workflow[Any]],
    *,
    clock: Clock | None = None,
    settings: EngineSettings = SETTINGS,
    deps: Any = None,
) -> AsyncIterator[Engine]:
    """An engine that runs while the block does, and is stopped gracefully at its end."""
    engine = Engine(database, workflows, deps, settings, clock or database.clock)
    task = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        task.cancel()
        await asyncio.wait((task,), timeout=PATIENCE_S)
        if not task.cancelled():
            task.result()


async def a_node_uuid(database: Database) -> str:
    [node] = await add_nodes(database, {})
    return node.uuid


async def enqueue(
    engine: Engine, database: Database, node_uuid: str | None = None, **fields: Any
) -> Operation:
    """Ask for an operation, on a new node unless one is given."""
    node_uuid = node_uuid or await a_node_uuid(database)
    async with database.write() as tx:
        return await engine.enqueue(
            tx, NewOperation(node_uuid=node_uuid, kind=fields.pop("kind", "toy"), **fields)
        )


async def carry_out(engine: Engine, database: Database, **fields: Any) -> Operation:
    """Ask for an operation and wait for its end."""
    operation = await enqueue(engine, database, **fields)
    return await engine.wait_finished(operation.uuid, PATIENCE_S)


async def poke(database: Database) -> None:
    """Make engines look for work, as after the clock has been moved."""
    async with database.write() as tx:
        await tx.notify(WORK)


async def look(database: Database, operation: Operation) -> Operation:
    async with database.read() as tx:
        return await get_operation(tx, operation.uuid)


async def until_state(database: Database, operation: Operation, *states: OperationState) -> Operation:
    """The operation as soon as it is in one of ``states``."""
    found = operation

    async def is_there() -> bool:
        nonlocal found
        found = await look(database, operation)
        return found.state in states

    await eventually(is_there)
    return found


async def until_asleep(database: Database, operation: Operation) -> Operation:
    """The operation as soon as it waits and nobody holds it."""
    found = operation

    async def is_there() -> bool:
        nonlocal found
        found = await look(database, operation)
        return found.state is OperationState.WAITING and found.owner is None

    await eventually(is_there)
    return found


async def eventually(condition: Callable[[], Awaitable[bool]], timeout_s: float = PATIENCE_S) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110  rows of a database have no event
            await asyncio.sleep(0.01)


async def journal(database: Database, operation: Operation) -> list[JournalEntry]:
    async with database.read() as tx:
        return await list_entries(tx, operation.uuid)


async def journal_lines(database: Database, operation: Operation) -> list[str]:
    """The journal as ``event step``."""
    return [f"{entry.event} {entry.step}".strip() for entry in await journal(database, operation)]
