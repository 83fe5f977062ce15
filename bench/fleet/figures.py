"""What is measured of a service that looks after a fleet, in the same way whichever service it is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
from bench.fleet import load
from bench.fleet.world import World


@dataclass
class Figures:
    """None is what could not be measured; ``notes`` say why, and what else there is to know.

    A look is one time that a machine is looked at, however many calls to its BMC that takes (``look_calls``).
    """

    nodes: int
    core_percent: float = 0.0
    look_ms: float = 0.0
    look_calls: float = 1.0
    #: Seconds in which every machine is looked at once.
    round_s: float = 0.0
    resident_mib: float = 0.0
    rows: int = 0
    list_s: list[float] = field(default_factory=list)
    power_s: list[float] = field(default_factory=list)
    deployments: int = 0
    deploy_s: float | None = None
    deploy_cpu_s: float | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Span:
    """From one moment to another (seconds since the epoch): what the service spent, and read from BMCs."""

    began: float
    ended: float
    cpu_s: float
    reads: int

    @property
    def seconds(self) -> float:
        return self.ended - self.began


async def span(place: World, session: aiohttp.ClientSession, seconds: float) -> Span:
    """Let ``seconds`` pass."""
    began, cpu_s, before = time.time(), place.service.cpu_s(), await place.calls(session)
    await asyncio.sleep(seconds)
    after = await place.calls(session)
    spent_s = place.service.cpu_s() - cpu_s
    reads = sum(after[name] - before.get(name, 0) for name in after if name.startswith("bmc GET"))
    return Span(began, time.time(), spent_s, reads)


async def users(
    place: World,
    session: aiohttp.ClientSession,
    seconds: float,
    switch: Callable[[], Awaitable[float]],
) -> tuple[list[float], list[float]]:
    """One user lists nodes, four switch machines; how long each list and each ``switch`` took, in seconds."""
    listing, *switching = await asyncio.gather(
        load.for_a_while(seconds, 0.5, lambda: load.list_nodes(place, session)),
        *(load.for_a_while(seconds, 0.5, switch) for _ in range(4)),
    )
    return listing, [took for one in switching for took in one]


def at(share: float, values: list[float]) -> float:
    """The value that a ``share`` (0 to 1) of ``values`` does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
