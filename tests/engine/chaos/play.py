"""The chaos test: deployments on a site whose processes, database and BMCs fail all the time.

From the shell: ``PYTHONPATH=tests python -m engine.chaos.play --deployments 500 --seed 1``
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from engine.chaos.cluster import APIS, CONDUCTORS, cluster
from engine.chaos.mischief import Mischief, Mishaps
from engine.chaos.operator import Failure, Operator
from engine.chaos.verdict import findings, until_quiet

ERROR_SHARE, HANG_SHARE = 0.02, 0.01


@dataclass
class Report:
    """``findings`` is empty when all promises were kept."""

    findings: list[str]
    failures: list[Failure]
    mishaps: Counter[str]
    calls: Mapping[str, int]
    enrol_s: float
    deploy_s: float


async def play(
    directory: Path,
    deployments: int,
    seed: int,
    *,
    mishaps: Mishaps,
    pace: Mapping[str, float],
    limit_s: float,
) -> Report:
    """Raises TimeoutError when the deployments are not over within ``limit_s`` seconds."""
    async with cluster(directory, deployments, pace=pace) as site, aiohttp.ClientSession() as session:
        await site.start(*APIS, *CONDUCTORS)
        operator, mischief = Operator(site, session), Mischief(site, mishaps, seed)
        began = time.monotonic()
        await operator.enrol(deployments)
        await site.set_chance(ERROR_SHARE, HANG_SHARE, seed)
        enrolled = time.monotonic()
        async with asyncio.timeout(limit_s), mischief.going_on(deployments):
            await operator.deploy(operator.nodes)
        deployed = time.monotonic()
        found = await until_quiet(site) + await findings(site, operator, operator.nodes)
        calls = (await site.ask_fleet())["calls"]
        return Report(found, operator.failures, mischief.done, calls, enrolled - began, deployed - enrolled)


def main() -> int:
    parser = argparse.ArgumentParser(description="Deploy while everything fails.")
    parser.add_argument("--deployments", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=1800.0, help="for all deployments (%(default)s)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell made us deaf to the first
        signal.signal(number, signal.default_int_handler)
    directory = Path(tempfile.mkdtemp(prefix="bessemer-chaos-"))
    print(f"logs and settings: {directory}", flush=True)
    pace = {"boot": 2.0, "command": 1.0, "power": 0.5, "answer": 0.05}
    report = asyncio.run(
        play(
            directory, options.deployments, options.seed,
            mishaps=Mishaps(), pace=pace, limit_s=options.limit_s,
        )
    )  # fmt: skip
    print(f"{options.deployments} deployments, seed {options.seed}: {report.deploy_s:.0f} s")
    print("mishaps:", dict(report.mishaps))
    print("calls the simulator saw:", dict(sorted(report.calls.items())))
    print(f"deployments tried again: {len(report.failures)}")
    for failure in report.failures:
        print(f"  {failure.node}: {failure.error}")
    for finding in report.findings:
        print("FAIL", finding)
    print("PASS" if not report.findings else f"FAIL: {len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
