"""Ironic measured as Bessemer is, as far as it goes, and both in one table.

Ironic reads several things from a BMC each time it looks at a machine, and one sweep may take longer than the
measurement: looks are made out by the calls that each BMC counts.
"""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import median

import aiohttp
from bench.fleet import load
from bench.fleet.figures import Figures, at, span, users
from bench.fleet.world import World

_SAMPLE_S = 2.0
#: A BMC that was left alone for so long and is called again is looked at again.
_PAUSE_S = 20.0
#: The first sweep begins when an interval has passed; the longest wait for that.
_FIRST_LIMIT_S = 180.0
#: Longest wait for the end of a look.
_OVER_LIMIT_S = 120.0
#: Sessions are begun at the first look at each machine: it is not counted, if all are over so soon.
_WARM_UP_S = 45.0
_DEPLOY_LIMIT_S = 120.0
_SWITCHED = 100


@dataclass
class _Machine:
    calls: int = 0
    #: Calls before the present look, and the moment of its last one that was seen.
    before: int = 0
    last: float = 0.0


@dataclass
class Looks:
    """What BMCs were called for: looks, each of several calls without a pause between them."""

    #: Of each look that is over: the moment it ended, and how many calls it took.
    ended: list[tuple[float, int]] = field(default_factory=list)
    _machines: defaultdict[int, _Machine] = field(default_factory=lambda: defaultdict(_Machine))

    def note(self, servers: list[dict[str, int]], now: float) -> None:
        """``servers`` tell their ``number`` and how many ``calls`` they have had."""
        for one in servers:
            machine, calls = self._machines[one["number"]], one["calls"]
            if now - machine.last > _PAUSE_S and machine.calls > machine.before:
                self.ended.append((machine.last, machine.calls - machine.before))
                machine.before = machine.calls
            if calls > machine.calls:
                machine.calls, machine.last = calls, now

    def sizes(self, since: float) -> list[int]:
        """Calls of each look that has ended since: the first look at a machine takes more than later ones."""
        return [size for moment, size in self.ended if moment >= since]

    @property
    def calls(self) -> int:
        return sum(machine.calls for machine in self._machines.values())

    @property
    def begun(self) -> int:
        """How many machines have been looked at."""
        return sum(machine.calls > 0 for machine in self._machines.values())


@asynccontextmanager
async def _watched(place: World, session: aiohttp.ClientSession) -> AsyncIterator[Looks]:
    looks = Looks()

    async def watch() -> None:
        while True:
            async with session.get(f"{place.simulator}/servers", ssl=False) as answer:
                looks.note(await answer.json(), time.time())
            await asyncio.sleep(_SAMPLE_S)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        try:
            yield looks
        finally:
            watching.cancel()


async def measure(place: World, nodes: int, deployments: int, span_s: float) -> Figures:
    """Everything of a running Ironic: the sweep alone, users beside it, deployments beside it."""
    figures = Figures(nodes)
    async with load.client() as session:
        await _sweep(place, session, figures, span_s)
        await _users(place, session, figures, span_s)
        if deployments:
            await _deployments(place, session, figures, deployments)
    return figures


async def _sweep(place: World, session: aiohttp.ClientSession, figures: Figures, span_s: float) -> None:
    async with _watched(place, session) as looks:
        await _until(lambda: looks.begun, _FIRST_LIMIT_S)
        if not looks.begun:
            raise RuntimeError("Ironic looked at no machine")
        await _until(lambda: len(looks.ended) >= figures.nodes, _WARM_UP_S)
        before = looks.calls
        found = await span(place, session, span_s)
        calls = looks.calls - before
        await _until(lambda: looks.sizes(found.began), _OVER_LIMIT_S)
    sizes = looks.sizes(found.began)
    if not sizes or not calls:
        raise RuntimeError("Ironic ended no look at a machine")
    figures.look_calls = median(sizes)
    count = calls / figures.look_calls
    figures.core_percent = 100 * found.cpu_s / found.seconds
    figures.look_ms = 1000 * found.cpu_s / count
    figures.round_s = figures.nodes * found.seconds / count
    figures.resident_mib = place.service.resident_mib()


async def _until(question: Callable[[], object], limit_s: float) -> None:
    """Until it is answered with something true, but not for longer than ``limit_s``."""
    end = time.monotonic() + limit_s
    while not question() and time.monotonic() < end:  # noqa: ASYNC110  nothing announces it
        await asyncio.sleep(_SAMPLE_S)


async def _users(place: World, session: aiohttp.ClientSession, figures: Figures, span_s: float) -> None:
    last = range(figures.nodes - min(_SWITCHED, figures.nodes), figures.nodes)

    async def switch() -> float:
        with suppress(TimeoutError):
            return await load.switch(place, session, last, load.insist)
        return load.POWER_LIMIT_S

    figures.rows = min(figures.nodes, 1000)
    figures.list_s, figures.power_s = await users(place, session, span_s, switch)
    late = sum(took >= load.POWER_LIMIT_S for took in figures.power_s)
    if late:
        figures.notes.append(f"{late} power changes were not done in {load.POWER_LIMIT_S:g} s")


async def _deployments(place: World, session: aiohttp.ClientSession, figures: Figures, wanted: int) -> None:
    cpu_s = place.service.cpu_s()
    figures.deployments = wanted
    try:
        figures.deploy_s = await load.deploy(place, session, range(wanted), _DEPLOY_LIMIT_S, load.insist)
    except RuntimeError as error:
        figures.notes.append(f"deployments in {_DEPLOY_LIMIT_S:g} s: {error}")
        return
    figures.deploy_cpu_s = (place.service.cpu_s() - cpu_s) / wanted


# ---------------------------------------------------------------------- the table

_ROWS: tuple[tuple[str, str, Callable[[Figures], float | None]], ...] = (
    ("machines", "", lambda one: one.nodes),
    ("sweep: CPU of one core", "%", lambda one: one.core_percent),
    ("sweep: CPU a look", "ms", lambda one: one.look_ms),
    ("sweep: calls to a BMC a look", "", lambda one: one.look_calls),
    ("sweep: seconds for one look at all", "s", lambda one: one.round_s),
    ("machines that one core can look at in 60 s", "", lambda one: 60_000 / one.look_ms),
    ("sweep: resident", "MiB", lambda one: one.resident_mib),
    ("list with limit=1000: rows", "", lambda one: one.rows),
    ("list: p99", "ms", lambda one: _p99_ms(one.list_s)),
    ("list: p99 a row", "ms", lambda one: _p99_ms(one.list_s) / one.rows),
    ("power change: median", "s", lambda one: at(0.5, one.power_s)),
    ("power change: p99", "s", lambda one: at(0.99, one.power_s)),
    ("deployments at once", "", lambda one: one.deployments or None),
    ("deployments: until all are done", "s", lambda one: one.deploy_s),
    ("deployments: CPU of each", "s", lambda one: one.deploy_cpu_s),
)


def show(columns: Sequence[tuple[str, Figures]]) -> None:
    """Print a table: a column for each service, with its name."""
    lines = [f"\n{'':46}" + "".join(f"{name:>14}" for name, _ in columns)]
    for title, unit, figure in _ROWS:
        shown = "".join(f"{_number(figure(one)):>14}" for _, one in columns)
        lines.append(f"  {title:44}{shown} {unit}".rstrip())
    lines += [f"  {name}: {note}" for name, one in columns for note in one.notes]
    sys.stdout.write("\n".join(lines) + "\n")


def _p99_ms(seconds: list[float]) -> float:
    return 1000 * at(0.99, seconds)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
