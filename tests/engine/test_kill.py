"""A real process, a real ``kill -9``: at every commit and in every face of every step, on both databases.

However an operation is torn, it ends the same, tells its workflow the same, and does nothing twice that its
steps declared they could avoid.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bessemer.domain.operation import JournalEvent, NewOperation, Operation, OperationState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import OnInterrupt
from bessemer.kernel.clock import SystemClock
from bessemer.store.database import Database
from bessemer.store.event import list_events
from bessemer.store.node import get_node
from bessemer.store.page import Page
from engine.child import WORKFLOWS, step
from fakes.engine import (
    BRIEF,
    PATIENCE_S,
    SETTINGS,
    Record,
    a_node_uuid,
    eventually,
    journal,
    look,
    running,
)

KILLED = -signal.SIGKILL


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@dataclass
class Cradle:
    """Gives lives: processes that carry out an operation of the database until it is over or they die."""

    process: asyncio.subprocess.Process

    async def begin(self, operation: Operation, world: Path, **order: Any) -> int:
        """Begin a life; its process id. ``ended`` is to follow."""
        line = json.dumps({"operation": operation.uuid, "world": str(world), **order})
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        return int((await self._answer())["pid"])

    async def ended(self) -> int:
        """The exit code of the life begun last; negative: the signal that killed it."""
        return int((await self._answer())["end"])

    async def live(self, operation: Operation, world: Path, **order: Any) -> int:
        await self.begin(operation, world, **order)
        return await self.ended()

    async def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(2 * PATIENCE_S):
            answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


@pytest_asyncio.fixture
async def cradle(database_url: str, tmp_path: Path) -> AsyncIterator[Cradle]:
    errors = os.open(tmp_path / "errors", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "child.py"),
        database_url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )
    os.close(errors)
    yield Cradle(process)
    assert process.stdin is not None
    process.stdin.close()
    await asyncio.wait_for(process.wait(), PATIENCE_S)


async def ask(database: Database, kind: str, **fields: Any) -> Operation:
    node = await a_node_uuid(database)
    async with database.write() as tx:
        return await Gateway(WORKFLOWS).enqueue(tx, NewOperation(node_uuid=node, kind=kind, **fields))


@dataclass
class End:
    """How an operation ended, in all that can be seen of it."""

    operation: Operation
    effects: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    journal: Counter[tuple[str, str]] = field(default_factory=Counter)


async def end_of(database: Database, operation: Operation, world: Path) -> End:
    async with database.read() as tx:
        events = await list_events(tx, operation.node_uuid, Page(1000))
    return End(
        await look(database, operation),
        Counter(world.read_text().splitlines()),  # noqa: ASYNC240  a few lines
        [event.kind for event in events],
        Counter((str(entry.event), entry.step) for entry in await journal(database, operation)),
    )


def assert_good(end: End) -> None:
    assert end.operation.state is OperationState.SUCCEEDED
    told = [line for line in end.told if line != "waiting b"]
    assert told == ["started a", "step a", "step b", "step c", "step d", "succeeded"]
    # A life that ends between looking and sleeping does not say that it waits; the last look may be enough.
    assert end.told.count("waiting b") <= 1
    assert (end.effects["run b"], end.effects["run c"]) == (1, 1)
    assert min(end.effects["run a"], end.effects["run d"]) >= 1
    assert not any(effect.startswith("undo") for effect in end.effects)
    assert all(end.journal["done", name] == 1 for name in "abcd")


def assert_asking(end: End) -> None:
    assert end.effects["run x"] <= 1
    if end.operation.state is OperationState.SUCCEEDED:
        assert end.told == ["started a", "step a", "step x", "step c", "succeeded"]
        assert end.effects["run x"] == 1
        return
    assert end.operation.state is OperationState.FAILED
    assert end.operation.error is not None
    assert (end.operation.error.code, end.operation.error.step) == ("interrupted", "x")
    assert end.told == ["started a", "step a", "step x", "failed a"]
    assert min(end.effects["undo x"], end.effects["undo a"]) >= 1
    assert "run c" not in end.effects


def assert_doomed(end: End) -> None:
    assert end.operation.state is OperationState.FAILED
    assert end.operation.error is not None
    assert (end.operation.error.code, end.operation.error.step) == ("device-refused", "z")
    assert end.told == ["started a", "step a", "step c", "step z", "failed a"]
    assert end.effects["run c"] == 1
    assert all(end.journal["undone", name] == 1 for name in "acz")


EXPECTED = {"good": assert_good, "asking": assert_asking, "doomed": assert_doomed}


@pytest.mark.parametrize("kind", list(EXPECTED))
async def test_an_operation_killed_at_any_moment_ends_as_if_it_had_not_been(
    database: Database, cradle: Cradle, kind: str, tmp_path: Path
) -> None:
    moment = 0
    ends: Counter[OperationState] = Counter()
    while True:
        moment += 1
        operation, world = await ask(database, kind), tmp_path / f"world-{moment}"
        exit_code = await cradle.live(operation, world, kill_at=moment)
        if exit_code == KILLED:
            assert await cradle.live(operation, world) == 0
        else:
            assert exit_code == 0
        end = await end_of(database, operation, world)
        EXPECTED[kind](end)
        ends[end.operation.state] += 1
        if exit_code == 0:
            break
    # Every commit and every face has had its turn, and killing within the step that must ask does fail it.
    assert moment > 18
    assert (ends[OperationState.FAILED] > 2) == (kind != "good")
    assert (ends[OperationState.SUCCEEDED] > 2) == (kind != "doomed")


@pytest.mark.parametrize("kind", list(EXPECTED))
async def test_an_operation_killed_again_and_again_ends_all_the_same(
    database: Database, cradle: Cradle, kind: str, tmp_path: Path
) -> None:
    dice = random.Random(7)
    operation, world = await ask(database, kind), tmp_path / "world"
    lives = 1
    order = {"settings": {"most_deaths": 1000}}
    while await cradle.live(operation, world, kill_at=dice.randrange(6, 16), **order) == KILLED:
        lives += 1
        assert lives < 100
    assert lives > 2
    EXPECTED[kind](await end_of(database, operation, world))


async def test_a_process_that_was_frozen_while_it_was_taken_over_changes_nothing(
    database: Database, cradle: Cradle, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    operation = await ask(database, "hanging")
    # Few signs of life: a process frozen in the middle of one keeps SQLite's lock.
    alive = {"heartbeat_interval_s": 1.0, "lease_s": BRIEF.lease_s, "poll_s": 1.0}
    frozen = await cradle.begin(operation, world, settings=alive)

    async def has(line: str) -> None:
        async def is_there() -> bool:
            return world.exists() and any(found.startswith(line) for found in world.read_text().splitlines())

        await eventually(is_there)

    await has("run slow")
    os.kill(frozen, signal.SIGSTOP)
    try:
        # The heir carries it out with a step of its own, and finishes.
        record = Record()
        heir = record.workflow(record.step("slow"), kind="hanging")
        async with running(database, [heir], settings=replace(SETTINGS, hostname="heir")) as engine:
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        assert (done.state, done.fence) == (OperationState.SUCCEEDED, 2)
        before = await end_of(database, operation, world)
        with world.open("a") as file:
            file.write("go on\n")
    finally:
        os.kill(frozen, signal.SIGCONT)
    await has("the loser was")
    assert await cradle.ended() == 0
    after = await end_of(database, operation, world)
    assert (after.operation, after.told, after.journal) == (before.operation, before.told, before.journal)
    assert "the loser wrote" not in after.effects
    async with database.read() as tx:
        assert (await get_node(tx, operation.node_uuid)).description is None


def test_the_toy_steps_declare_all_three_ways_of_surviving() -> None:
    declared = {one.on_interrupt for workflow in WORKFLOWS for one in workflow.steps}
    assert declared == set(OnInterrupt)
    assert step("a").undo is not None
    assert JournalEvent.RESUMED in set(JournalEvent)
