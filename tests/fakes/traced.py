"""Traces within this process: OpenTelemetry's own SDK, which keeps what it would have sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import DEFAULT_ON, Sampler

from bessemer.kernel.trace import TRACING
from bessemer.server.trace_export import GivenIds, OtelTracer


class Kept:
    """Spans that are over, in that order."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span


@contextmanager
def traced(sampler: Sampler = DEFAULT_ON) -> Iterator[Kept]:
    """While the block runs, traces are kept."""
    exporter, ids = InMemorySpanExporter(), GivenIds()
    provider = TracerProvider(sampler=sampler, id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    TRACING.tracer = OtelTracer(provider, ids)
    try:
        yield Kept(exporter)
    finally:
        TRACING.tracer = None
