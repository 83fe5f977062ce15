"""``make bench-fleet``: can one process look after ten thousand machines while users are at work?

    python -m bench.fleet [--nodes N] [--deployments N] [--span S] [--database sqlite|postgresql]

Figures are the service's alone; the simulator of the fleet runs in a process of its own. Exit status 1 when a
bound is missed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from bench.api import report
from bench.api.__main__ import FAMILIES, database
from bench.fleet import load
from bench.fleet.world import World, world

SWEEP_S = 60
#: First sweep: connections are opened, sessions begun.
_WARM_UP_S = 420.0
#: Machines that users switch: those at the end, that are not deployed to.
_SWITCHED = 500
_DEPLOY_LIMIT_S = 1800.0

Row = tuple[str, float, float, str]


@dataclass
class Outcome:
    rows: list[Row] = field(default_factory=list)

    def add(self, title: str, found: float, most: float, unit: str) -> None:
        self.rows.append((title, found, most, unit))


async def measure(place: World, nodes: int, deployments: int, span_s: float) -> Outcome:
    outcome = Outcome()
    async with load.client() as session:
        await _warm_up(place, session, nodes)
        await _sweep_alone(place, session, outcome, nodes, span_s)
        await _with_users(place, session, outcome, nodes, span_s)
        if deployments:
            before = await place.calls(session)
            took_s = await load.deploy(place, session, range(deployments), _DEPLOY_LIMIT_S)
            after = await place.calls(session)
            outcome.add(f"{deployments} deployments", took_s, 600.0 * deployments / 1000, "s")
            extra = abs(after["writes"] - before["writes"] - deployments)
            outcome.add("images written too often or not at all", extra, 0, "")
        outcome.add("resident", place.service.resident_mib(), 500, "MiB")
    return outcome


async def _warm_up(place: World, session: aiohttp.ClientSession, nodes: int) -> None:
    end = time.monotonic() + _WARM_UP_S
    while (await place.calls(session)).get("bmc GET 200", 0) < 2 * nodes:
        if time.monotonic() > end:
            raise RuntimeError(f"machines were not looked at: {await place.calls(session)}")
        await asyncio.sleep(1.0)
    # They were all due at once: the next round is spread over an interval and a half.
    await asyncio.sleep(1.5 * SWEEP_S)


async def _sweep_alone(
    place: World, session: aiohttp.ClientSession, outcome: Outcome, nodes: int, span_s: float
) -> None:
    began, cpu_s = time.time(), place.service.cpu_s()
    before = await place.calls(session)
    await asyncio.sleep(span_s)
    after = await place.calls(session)
    ended = time.time()
    spent_s = place.service.cpu_s() - cpu_s
    looks = sum(after[name] - before.get(name, 0) for name in after if name.startswith("bmc GET"))
    passed_s = ended - began
    outcome.add("sweep: CPU of one core", 100 * spent_s / passed_s, 20, "%")
    outcome.add("sweep: CPU a look", 1000 * spent_s / max(looks, 1), 1.2, "ms")
    outcome.add("sweep: seconds for one look at all", nodes * passed_s / max(looks, 1), SWEEP_S * 1.1, "s")
    outcome.add("sweep: event loop late, p99", 1000 * _p99(place.lags(began, ended)), 100, "ms")
    outcome.add("sweep: resident", place.service.resident_mib(), 500, "MiB")


async def _with_users(
    place: World, session: aiohttp.ClientSession, outcome: Outcome, nodes: int, span_s: float
) -> None:
    began = time.time()
    last = range(nodes - min(_SWITCHED, nodes), nodes)
    listing, *switching = await asyncio.gather(
        load.for_a_while(span_s, 0.5, lambda: load.list_nodes(place, session)),
        *(load.for_a_while(span_s, 0.5, lambda: load.switch(place, session, last)) for _ in range(4)),
    )
    ended = time.time()
    switched = [took for one in switching for took in one]
    outcome.add(f"list of 1000, p99 of {len(listing)}", 1000 * _p99(listing), 300, "ms")
    outcome.add(f"power change, p99 of {len(switched)}", _p99(switched), 2, "s")
    outcome.add("users: event loop late, p99", 1000 * _p99(place.lags(began, ended)), 100, "ms")


def _p99(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


async def run(arguments: argparse.Namespace, directory: Path, url: str) -> bool:
    async with world(directory, url, arguments.nodes, SWEEP_S) as place:
        outcome = await measure(place, arguments.nodes, arguments.deployments, arguments.span)
    sys.stdout.write(f"\n{arguments.nodes} simulated servers, {arguments.database}\n")
    return report.bounds(outcome.rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--span", type=float, default=120.0, help="seconds that each part is measured for")
    parser.add_argument("--database", choices=FAMILIES, default="sqlite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bessemer-fleet-") as name:
        directory = Path(name)
        with database(arguments.database, directory) as url:
            is_kept = asyncio.run(run(arguments, directory, url))
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
