"""``make bench-fleet``: can one process look after ten thousand machines while users are at work?

    python -m bench.fleet [--nodes N] [--deployments N] [--span S] [--database sqlite|postgresql]
                          [--without-ironic | --ironic-nodes N ...]

Figures are the service's alone; the simulator of the fleet runs in a process of its own. Ironic 39 is
measured before, over a smaller fleet, and shown beside; nothing is asked of its figures. Exit status 1 when a
bound is missed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from bench.api import report
from bench.api.__main__ import FAMILIES, database
from bench.fleet import beside, load
from bench.fleet.figures import Figures, at, span, users
from bench.fleet.ironic import ironic_world
from bench.fleet.world import World, world
from bench.ironic import install

_BUILD = Path(__file__).parent.parent.parent / "build"
SWEEP_S = 60
#: First sweep: connections are opened, sessions begun.
_WARM_UP_S = 420.0
#: Machines that users switch: those at the end, that are not deployed to.
_SWITCHED = 500
_DEPLOY_LIMIT_S = 1800.0

T = TypeVar("T")
Row = tuple[str, float, float, str]


@dataclass
class Outcome:
    rows: list[Row] = field(default_factory=list)
    figures: Figures = field(default_factory=lambda: Figures(0))

    def add(self, title: str, found: float, most: float, unit: str) -> None:
        self.rows.append((title, found, most, unit))


async def measure(place: World, nodes: int, deployments: int, span_s: float) -> Outcome:
    outcome = Outcome(figures=Figures(nodes))
    async with load.client() as session:
        await _warm_up(place, session, nodes)
        await _sweep_alone(place, session, outcome, nodes, span_s)
        await _with_users(place, session, outcome, nodes, span_s)
        if deployments:
            before, cpu_s = await place.calls(session), place.service.cpu_s()
            took_s = await load.deploy(place, session, range(deployments), _DEPLOY_LIMIT_S)
            after = await place.calls(session)
            figures = outcome.figures
            figures.deployments, figures.deploy_s = deployments, took_s
            figures.deploy_cpu_s = (place.service.cpu_s() - cpu_s) / deployments
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
    found = await span(place, session, span_s)
    looks = max(found.reads, 1)
    figures = outcome.figures
    figures.core_percent = 100 * found.cpu_s / found.seconds
    figures.look_ms = 1000 * found.cpu_s / looks
    figures.round_s = nodes * found.seconds / looks
    figures.resident_mib = place.service.resident_mib()
    outcome.add("sweep: CPU of one core", figures.core_percent, 20, "%")
    outcome.add("sweep: CPU a look", figures.look_ms, 1.2, "ms")
    outcome.add("sweep: seconds for one look at all", figures.round_s, SWEEP_S * 1.1, "s")
    late_s = at(0.99, place.lags(found.began, found.ended))
    outcome.add("sweep: event loop late, p99", 1000 * late_s, 100, "ms")
    outcome.add("sweep: resident", figures.resident_mib, 500, "MiB")


async def _with_users(
    place: World, session: aiohttp.ClientSession, outcome: Outcome, nodes: int, span_s: float
) -> None:
    began = time.time()
    last = range(nodes - min(_SWITCHED, nodes), nodes)
    listing, switched = await users(place, session, span_s, lambda: load.switch(place, session, last))
    ended = time.time()
    outcome.figures.rows, outcome.figures.list_s = min(nodes, 1000), listing
    outcome.figures.power_s = switched
    outcome.add(f"list of 1000, p99 of {len(listing)}", 1000 * at(0.99, listing), 300, "ms")
    outcome.add(f"power change, p99 of {len(switched)}", at(0.99, switched), 2, "s")
    outcome.add("users: event loop late, p99", 1000 * at(0.99, place.lags(began, ended)), 100, "ms")


async def run(arguments: argparse.Namespace, directory: Path, url: str) -> Outcome:
    async with world(directory, url, arguments.nodes, SWEEP_S) as place:
        return await measure(place, arguments.nodes, arguments.deployments, arguments.span)


async def run_ironic(arguments: argparse.Namespace, directory: Path, url: str) -> Figures:
    nodes, deployments = arguments.ironic_nodes, arguments.ironic_deployments
    programs = install.installed(arguments.environment)
    async with ironic_world(
        programs, directory, url, nodes, SWEEP_S, workers=arguments.ironic_workers, deployments=deployments
    ) as place:
        return await beside.measure(place, nodes, deployments, arguments.ironic_span)


def _measured(
    arguments: argparse.Namespace, run_one: Callable[[argparse.Namespace, Path, str], Coroutine[Any, Any, T]]
) -> T:
    with tempfile.TemporaryDirectory(prefix="bessemer-fleet-") as name:
        directory = Path(name)
        with database(arguments.database, directory) as url, asyncio.Runner() as runner:
            return runner.run(run_one(arguments, directory, url))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=10_000, help="0 leaves Bessemer out")
    parser.add_argument("--deployments", type=int, default=1000)
    parser.add_argument("--span", type=float, default=120.0, help="seconds that each part is measured for")
    parser.add_argument("--database", choices=FAMILIES, default="sqlite")
    parser.add_argument("--without-ironic", action="store_true")
    parser.add_argument("--ironic-nodes", type=int, default=300, help="what it recommends for a conductor")
    parser.add_argument("--ironic-deployments", type=int, default=4)
    parser.add_argument("--ironic-span", type=float, default=60.0)
    parser.add_argument("--ironic-workers", type=int, help="sync_power_state_workers (default: Ironic's, 8)")
    parser.add_argument("--environment", type=Path, default=_BUILD / "ironic-39", help="where Ironic is")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    columns, is_kept = [], True
    if not arguments.without_ironic:
        columns.append(("Ironic 39", _measured(arguments, run_ironic)))
    if arguments.nodes:
        outcome = _measured(arguments, run)
        columns.insert(0, ("Bessemer", outcome.figures))
        sys.stdout.write(f"\n{arguments.nodes} simulated servers, {arguments.database}\n")
        is_kept = report.bounds(outcome.rows)
    beside.show(columns)
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
