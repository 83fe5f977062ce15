"""Sweeps and chores: every node in its turn, shared between conductors, none lost by failures."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bessemer.engine.reconcile.chore import Chore, Chores
from bessemer.engine.reconcile.sweep import Again, Sweep, pause_until_turn
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import DeviceUnreachable
from bessemer.store.database import Database
from bessemer.store.duty import POWER
from fakes.engine import PATIENCE_S, eventually
from fakes.store import add_nodes


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@asynccontextmanager
async def going(job: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(job)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,), timeout=PATIENCE_S)
        assert task.cancelled()


class Looks:
    """Counts looks at each node, and how many go on at once."""

    def __init__(self, *, again_s: float = 3600.0, takes_s: float = 0.0) -> None:
        self.count: Counter[str] = Counter()
        self.failures: list[int] = []
        self.at_once = self.most_at_once = 0
        self.error: Exception | None = None
        self._again_s = again_s
        self._takes_s = takes_s

    async def __call__(self, node_uuid: str, failures: int) -> Again:
        self.count[node_uuid] += 1
        self.failures.append(failures)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(self._takes_s)
            if self.error is not None:
                raise self.error
        finally:
            self.at_once -= 1
        return Again(self._again_s, failures + 1)


def sweep(database: Database, looks: Looks, *, workers: int = 5, interval_s: float = 3600.0) -> Sweep:
    return Sweep(database, POWER, "", looks, interval_s=interval_s, workers=workers)


async def test_every_node_is_looked_at_once_by_one_of_the_conductors(database: Database) -> None:
    nodes = await add_nodes(database, *({} for _ in range(150)))
    one, other = Looks(takes_s=0.01), Looks(takes_s=0.01)
    async with going(sweep(database, one).run()), going(sweep(database, other).run()):

        async def are_all_seen() -> bool:
            return (one.count + other.count).total() >= len(nodes)

        await eventually(are_all_seen)
    assert one.count + other.count == Counter(node.uuid for node in nodes)
    assert max(one.most_at_once, other.most_at_once) <= 5
    assert one.count
    assert other.count


async def test_a_node_is_looked_at_again_when_it_was_said_and_failures_are_handed_on(
    database: Database,
) -> None:
    await add_nodes(database, {})
    looks = Looks(again_s=0.1)
    async with going(sweep(database, looks).run(look_s=0.05)):

        async def was_seen_thrice() -> bool:
            return len(looks.failures) >= 3

        await eventually(was_seen_thrice)
    assert looks.failures[:3] == [0, 1, 2]


@pytest.mark.parametrize("error", [DeviceUnreachable("no"), RuntimeError("a defect")])
async def test_a_failed_look_stops_neither_the_sweep_nor_the_next_look(
    database: Database, error: Exception
) -> None:
    await add_nodes(database, {}, {})
    looks = Looks(again_s=0.1)
    looks.error = error
    async with going(sweep(database, looks, interval_s=0.1).run(look_s=0.05)):

        async def were_seen_again() -> bool:
            return len(looks.count) == 2 and min(looks.count.values()) >= 2

        await eventually(were_seen_again)
    assert set(looks.failures) == {0}


async def test_a_sweep_that_ends_leaves_the_rest_to_others(database: Database) -> None:
    await add_nodes(database, *({} for _ in range(6)))
    slow, looks = Looks(takes_s=600), Looks()
    async with going(sweep(database, slow, workers=1).run()):

        async def has_begun() -> bool:
            return slow.at_once == 1

        await eventually(has_begun)
    async with going(sweep(database, looks).run()):

        async def are_others_seen() -> bool:
            return len(looks.count) == 2  # four were claimed by the one that ended

        await eventually(are_others_seen)


async def test_a_chore_is_done_by_one_process_and_its_failure_hinders_no_other(database: Database) -> None:
    done: list[str] = []

    async def fail() -> int:
        done.append("failing")
        raise RuntimeError("a defect")

    async def work() -> int:
        done.append("working")
        return 1

    async def note() -> int:
        done.append("passed by")
        return 0

    chores = [Chore("failing", 3600, fail), Chore("working", 3600, work)]

    async def has_passed_by() -> bool:
        return "passed by" in done

    async with going(Chores(database, [*chores, Chore("first", 3600, note)]).run(look_s=0.05)):
        await eventually(has_passed_by)
        done.remove("passed by")
        async with going(Chores(database, [*chores, Chore("second", 3600, note)]).run(look_s=0.05)):
            await eventually(has_passed_by)
    assert done == ["failing", "working", "passed by"]


def test_nodes_found_overdue_together_are_spread_over_the_interval_and_stay_so() -> None:
    keys = [f"node-{number}" for number in range(1000)]
    now = 1_795_000_000.0
    due = {key: now + pause_until_turn(key, now, 60) for key in keys}
    assert all(30 <= at - now <= 90 for at in due.values())
    busiest = max(
        sum(second <= at < second + 1 for at in due.values()) for second in range(int(now), int(now) + 90)
    )
    assert busiest < 40  # of 1000 in 60 s: 17 on average
    for key, at in due.items():
        seen_at = at + 0.4  # a look takes its time, and moves nothing
        assert seen_at + pause_until_turn(key, seen_at, 60) == pytest.approx(at + 60)


def test_a_node_that_was_looked_at_late_or_early_is_soon_in_its_place_again() -> None:
    now = 1_795_000_000.0
    place = now + pause_until_turn("node", now, 60)
    for off in (-25, -1, 10, 29):
        again = place + off + pause_until_turn("node", place + off, 60)
        assert (again - place) % 60 == pytest.approx(0, abs=0.01) or (again - place) % 60 == pytest.approx(60)
        assert 30 <= again - place - off <= 90
