"""``make fuzz``: as many hostile requests as are asked for, with progress, a seed and a list of all findings.

The service is started anew for every batch, so that each batch can be repeated alone by its own seed.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from property.api.hostile_check import check, send
from property.api.hostile_request import Request, requests
from property.api.hostile_world import HostileWorld, addresses, check_nothing_is_stuck, hostile_world

BATCH = 250


@dataclass
class Findings:
    """What was found, once for each kind, and what was answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: str = ""
    found: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, details: str) -> None:
        self.counts[kind] += 1
        self.found.setdefault(kind, details)

    def time(self, request: Request, took_s: float) -> None:
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, f"{request.method} {request.path[:100]}"


class LogKeeper:
    """The last lines of the log, to explain a finding; a secret or a traceback in a line is one itself."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=5)
        self.told: list[tuple[str, str]] = []
        self.secrets: Sequence[str] = ()

    def __call__(self, logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
        line = structlog.processors.format_exc_info(logger, name, event)
        text = repr(line)
        if name in ("warning", "error", "exception", "critical"):
            self.last.append("\n".join(f"{key}: {value}" for key, value in line.items()))
        if any(secret in text for secret in self.secrets):
            self.told.append(("a secret in the log", text[:1000]))
        if "exception" in line:
            what = f"{line['event']}: {line['exception'].splitlines()[-1][:80]}"
            self.told.append((what, self.last[-1][-4000:]))
        raise structlog.DropEvent


def run_batch(cases: int, batch_seed: int, findings: Findings, keeper: LogKeeper) -> None:
    """A service of its own, ``cases`` requests, and a look at what they left behind."""
    stack = AsyncExitStack()
    with tempfile.TemporaryDirectory(prefix="bessemer-fuzz-") as directory, asyncio.Runner() as runner:
        world = runner.run(stack.enter_async_context(hostile_world(Path(directory))))
        live, keeper.secrets = world.live, world.secrets

        @seed(batch_seed)
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(request=requests(addresses(live)))
        def one(request: Request) -> None:
            runner.run(_one(world, request, batch_seed, findings, keeper))

        one()
        try:
            live.check_alive()
            runner.run(check_nothing_is_stuck(live))
        except (AssertionError, TimeoutError) as problem:
            findings.add("left behind", f"batch {batch_seed}: {problem!r}")
        runner.run(stack.aclose())
    note_log(findings, keeper, f"batch {batch_seed}, at its end")


async def _one(
    world: HostileWorld, request: Request, batch_seed: int, findings: Findings, keeper: LogKeeper
) -> None:
    keeper.last.clear()
    began = time.perf_counter()
    where = f"{request.method} {_shape(request.path)}"
    try:
        reply = await send(world.live.process.app, request)
        findings.statuses[reply.status] += 1
        findings.time(request, time.perf_counter() - began)
        check(request, reply, world.secrets)
    except Exception as problem:  # noqa: BLE001  each is what is being looked for
        text = f"{type(problem).__name__}: {problem}"[:600]
        log = "\n".join(keeper.last)[-4000:]
        findings.add(f"{where}: {text[:60]}", f"{text}\nbatch {batch_seed}: {request!r}\n{log}")
    note_log(findings, keeper, f"batch {batch_seed}, no later than {request!r}")


def note_log(findings: Findings, keeper: LogKeeper, when: str) -> None:
    for kind, text in keeper.told:
        findings.add(kind, f"{when}\n{text}")
    keeper.told.clear()


def _shape(path: str) -> str:
    """A path without what was hostile in it, to tell kinds of findings apart."""
    return "/".join(
        part if part.isascii() and part.replace("_", "").isalpha() else "*" for part in path.split("/")
    )


def batches(cases: int) -> Iterator[int]:
    while cases > 0:
        yield min(BATCH, cases)
        cases -= BATCH


def fuzz(cases: int, first_seed: int) -> int:
    """Run all batches; the number of kinds of findings."""
    keeper, findings = LogKeeper(), Findings()
    structlog.configure(processors=[keeper])
    began = time.monotonic()
    print(
        f"fuzz: {cases} requests, seed {first_seed}; repeat with: make fuzz CASES={cases} SEED={first_seed}"
    )
    for number, size in enumerate(batches(cases)):
        run_batch(size, first_seed + number, findings, keeper)
        done, took_s = sum(findings.statuses.values()), time.monotonic() - began
        print(
            f"{done:6d} requests, {done / took_s:4.0f} a second, {len(findings.found)} findings, "
            f"answers {dict(sorted(findings.statuses.items()))}",
            flush=True,
        )
    print(f"slowest answer: {findings.slowest_s * 1000:.0f} ms, {findings.slowest}")
    for kind, details in findings.found.items():
        print(f"\n== {kind} ({findings.counts[kind]} times)\n{details}")
    return len(findings.found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=None, help="default: by chance")
    given_ = parser.parse_args()
    os.nice(10)
    chosen = given_.seed if given_.seed is not None else random.SystemRandom().randrange(10**6)
    sys.exit(1 if fuzz(given_.cases, chosen) else 0)


if __name__ == "__main__":
    main()
