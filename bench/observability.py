"""What figures and traces cost: CPU of hot calls and of deployments with them, over CPU without.

    python bench/observability.py [--rounds N] [--nodes N]

One process, API and conductor over SQLite with fake hardware, called without a network. Metrics cannot be
switched off in the service; here counting is replaced by nothing for "without". The ways (without; without
once more, which shows what is noise; with metrics; with metrics, and traces of everything encoded as they are
sent) take turns in short blocks, in an order that changes: the ratio is that of a round's own blocks. Told is
its median over all rounds, and the interval that holds it nineteen times in twenty. CPU is that of the whole
process, by getrusage. Beside it stands what counting comes to by itself: how often a call counts something,
times what that takes. That hardly depends on what else the machine does, but leaves out caches.
"""

import argparse
import asyncio
import gc
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bessemer.api.trace import request_span
from bessemer.engine.gateway import OVER
from bessemer.kernel.histogram import Histogram, Series
from bessemer.kernel.metric import API_REQUESTS
from bessemer.kernel.trace import TRACING, Kind, span
from bessemer.server.logging import set_up_logging
from bessemer.server.metric.listener import metrics_app
from bessemer.server.trace_export import GivenIds, OtelTracer
from fakes.api_client import ApiClient
from fakes.live_process import LiveProcess, live_process

#: What metrics may cost at most, as a share.
GOAL = 0.02
WITHOUT, AGAIN, METRICS, TRACES = WAYS = "without", "again", "metrics", "traces"
#: Deployments under way at once.
DEPLOYED = 8
SCRAPE_EVERY_S = 15.0

Work = Callable[[], Awaitable[None]]


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Encoded(SpanExporter):
    """Does all that is done with spans but send them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


class _Nothing(nullcontext[None]):
    """Takes every call of an instrument."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self


@contextmanager
def without_metrics() -> Iterator[None]:
    kept = MetricWrapperBase.labels, Histogram.labels, Series.observe, Counter.inc
    nothing = _Nothing()
    MetricWrapperBase.labels = lambda *_, **__: nothing  # type: ignore[method-assign]
    Histogram.labels = lambda *_, **__: nothing  # type: ignore[method-assign]
    Series.observe = lambda *_, **__: None  # type: ignore[method-assign]
    Counter.inc = lambda *_, **__: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        MetricWrapperBase.labels, Histogram.labels, Series.observe, Counter.inc = kept  # type: ignore[method-assign]


@contextmanager
def counting() -> Iterator[list[int]]:
    """How often something was counted in the block."""
    kept = Series.observe, Counter.inc
    made = [0]

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def count(*given: Any, **named: Any) -> None:
            made[0] += 1
            real(*given, **named)

        return count

    Series.observe, Counter.inc = map(counted, kept)  # type: ignore[method-assign]
    try:
        yield made
    finally:
        Series.observe, Counter.inc = kept  # type: ignore[method-assign]


def one_count_s() -> float:
    """What it takes to find a series and to count in its histogram: most are kept, so this is dear.
    The least of several rounds: the others were disturbed."""
    rounds, times = [], 20_000
    for _ in range(7):
        began = time.process_time()
        for _ in range(times):
            API_REQUESTS.labels("GET", "none", 200).observe(0.003)
        rounds.append((time.process_time() - began) / times)
    return min(rounds)


@contextmanager
def with_traces(tracer: OtelTracer) -> Iterator[None]:
    TRACING.tracer = tracer
    try:
        yield
    finally:
        TRACING.tracer = None


@dataclass
class Case:
    """``work`` is measured ``repeats`` times in a block, and each way has ``turns`` blocks in a round.
    ``after`` puts things back, unmeasured."""

    name: str
    work: Work
    repeats: int
    turns: int = 1
    after: Work | None = None
    #: How often something was counted in one unit of work.
    counts: float = 0.0
    spent_s: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})

    async def block(self, way: str, finish: Callable[[], object] = lambda: None) -> None:
        began = cpu_s()
        for _ in range(self.repeats):
            await self.work()
        finish()
        self.spent_s[way].append((cpu_s() - began) / self.repeats)
        if self.after is not None:
            await self.after()

    async def count(self) -> None:
        with counting() as made:
            for _ in range(self.repeats):
                await self.work()
        self.counts = made[0] / self.repeats
        if self.after is not None:
            await self.after()

    def ratios(self, way: str) -> list[float]:
        pairs = zip(self.spent_s[way], self.spent_s[WITHOUT], strict=True)
        return sorted(this / other for this, other in pairs)


class World:
    def __init__(self, live: LiveProcess, nodes: int) -> None:
        self._live = live
        self._client = live.client
        self._nodes = nodes
        self._ends = asyncio.Semaphore(0)
        self._deployed: list[str] = []

    async def set_up(self) -> None:
        for number in range(self._nodes):
            await self._good("POST", "/v1/nodes", {"driver": "fake-hardware", "name": f"n{number}"})
        self._deployed = [f"n{number}" for number in range(DEPLOYED)]
        await self._drive("manage")
        for name in self._deployed:
            await self._good("PUT", f"/v1/nodes/{name}/states/provision", {"target": "provide"})

    async def get(self) -> None:
        await self._good("GET", "/v1/nodes/n1")

    async def list(self) -> None:
        await self._good("GET", "/v1/nodes?limit=1000")

    async def patch(self) -> None:
        change = [{"op": "add", "path": "/extra/seen", "value": time.monotonic_ns()}]
        await self._good("PATCH", "/v1/nodes/n1", change)

    async def deploy(self) -> None:
        await self._drive("active")

    async def tear_down(self) -> None:
        await self._drive("deleted")

    async def _drive(self, target: str) -> None:
        """Everything is over when as many operations are."""
        async with self._live.process.foundation.database.listen(OVER, lambda _: self._ends.release()):
            for name in self._deployed:
                await self._good("PUT", f"/v1/nodes/{name}/states/provision", {"target": target})
            for _ in self._deployed:
                async with asyncio.timeout(60):
                    await self._ends.acquire()

    async def _good(self, method: str, path: str, body: Any = None) -> None:
        reply = await self._client.call(method, path, body)
        assert reply.status < 300, reply.body


async def measure(rounds: int, nodes: int, directory: Path) -> list[Case]:
    ids = GivenIds()
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Encoded()))
    tracer = OtelTracer(provider, ids)
    conductor = {"sync_power_state_interval": 0, "enable_health_monitoring": False, "automated_clean": False}
    async with live_process(directory, conductor=conductor) as live:
        world = World(live, nodes)
        await world.set_up()
        cases = [
            Case("GET one node", world.get, 20, 8),
            Case(f"list {nodes} nodes", world.list, 4, 3),
            Case("PATCH a node", world.patch, 6, 4),
            Case(f"{DEPLOYED} deployments", world.deploy, 1, after=world.tear_down),
        ]
        gc.collect()
        gc.freeze()
        for case in cases:
            # Warm, and every series found once: the service keeps what it found.
            await case.block(METRICS)
            await case.block(METRICS)
            case.spent_s[METRICS].clear()
        for _ in range(rounds):
            for case in cases:
                for _ in range(case.turns):
                    for way in random.sample(WAYS, len(WAYS)):
                        await one_way(case, way, tracer, provider)
        for case in cases:
            await case.count()
        await beside(live)
    provider.shutdown()
    return cases


async def one_way(case: Case, way: str, tracer: OtelTracer, provider: TracerProvider) -> None:
    if way in (WITHOUT, AGAIN):
        with without_metrics():
            await case.block(way)
    elif way == METRICS:
        await case.block(way)
    else:
        with with_traces(tracer):
            await case.block(way, provider.force_flush)  # nobody else pays for it


async def beside(live: LiveProcess) -> None:
    """What is paid for apart from calls: being scraped, and looking for traces that nobody wants."""
    scrapes, client = 50, ApiClient(metrics_app(live.process.foundation.database, live.process.pool), None)
    began = cpu_s()
    for _ in range(scrapes):
        assert (await client.get("/metrics")).status == 200
    each_s = (cpu_s() - began) / scrapes
    print(f"one scrape {each_s * 1000:.1f} ms CPU: {each_s / SCRAPE_EVERY_S:.2%} of a core every 15 s")
    looks, scope = 100_000, {"headers": []}
    began = cpu_s()
    for _ in range(looks):
        with request_span(scope, ""):
            pass
        with span("", Kind.CLIENT, {}):
            pass
    print(f"a span that is not wanted {(cpu_s() - began) / looks / 2 * 1e9:.0f} ns")


def report(cases: list[Case]) -> bool:
    """Prints the ratios; whether none is more than wanted, as far as can be told."""
    titles = ("without", "again", "metrics", "counting itself", "metrics, all traces")
    print(("{:16}{:>11}{:>25}{:>25}{:>16}{:>27}").format("", *titles))
    is_good, each_s = True, one_count_s()
    for case in cases:
        without_s = statistics.median(case.spent_s[WITHOUT])
        itself = case.counts * each_s / without_s
        again, metrics, traces = (_shown(case, way) for way in (AGAIN, METRICS, TRACES))
        print(
            f"{case.name:16}{without_s * 1e6:8.0f} us{again:>25}{metrics:>25}"
            f"{f'{case.counts:.0f}x {itself:.2%}':>16}{traces:>27}"
        )
        _, low, _ = _interval(case.ratios(METRICS))
        is_good = is_good and max(itself, low) < GOAL
    return is_good


def _shown(case: Case, way: str) -> str:
    return "{:+.1%} ({:+.1%} to {:+.1%})".format(*_interval(case.ratios(way)))


def _interval(ratios: list[float]) -> tuple[float, float, float]:
    """What the median is above one, and the interval of medians of samples drawn again."""
    drawn = sorted(statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(2000))  # noqa: S311
    return statistics.median(ratios) - 1, drawn[50] - 1, drawn[-50] - 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--nodes", type=int, default=1000)
    arguments = parser.parse_args()
    kept = sys.stderr
    with Path("/dev/null").open("w") as nowhere, tempfile.TemporaryDirectory() as directory:
        sys.stderr = nowhere  # lines are written, and go nowhere
        set_up_logging(debug=False)
        sys.stderr, sys.excepthook = kept, sys.__excepthook__
        cases = uvloop.run(measure(arguments.rounds, arguments.nodes, Path(directory)))
    if not report(cases):
        sys.exit(f"metrics cost more than {GOAL:.0%}")


if __name__ == "__main__":
    main()
