"""Traces by OpenTelemetry, sent over OTLP: the one module that knows its SDK, imported when they are wanted.

Where spans go, which are sampled and how they are queued is said by the standard ``OTEL_*`` variables of the
environment. Spans are sent by a thread of their own from a bounded queue: when the collector is slow or away
they are dropped, and nobody waits.
Source: OpenTelemetry specification, "SDK environment variables", "Batching processor".
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.metadata import version
from typing import Final

import structlog
from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from bessemer.config.settings import Settings
from bessemer.kernel.trace import TRACING, Attributes, Kind, Span, SpanContext, Tracer

log = structlog.get_logger(__name__)

#: What spans still queued are given to leave when the process ends, in seconds.
_FLUSH_S: Final = 5.0
_KINDS: Final = {
    Kind.SERVER: otel.SpanKind.SERVER,
    Kind.CLIENT: otel.SpanKind.CLIENT,
    Kind.INTERNAL: otel.SpanKind.INTERNAL,
}


class OtelTracer:
    """Spans of ``provider``; its ids must be ``ids``."""

    def __init__(self, provider: TracerProvider, ids: "GivenIds") -> None:
        self._provider = provider
        self._ids = ids
        self._tracer = provider.get_tracer("bessemer", version("bessemer"))

    def begin(self, name: str, kind: Kind, parent: SpanContext | None, attributes: Attributes) -> Span:
        return _OtelSpan(self._tracer.start_span(name, _within(parent), _KINDS[kind], attributes))

    def sampled(self, context: SpanContext, name: str) -> SpanContext:
        result = self._provider.sampler.should_sample(None, context.trace_id, name, otel.SpanKind.INTERNAL)
        return context._replace(is_sampled=result.decision is Decision.RECORD_AND_SAMPLE)

    def record(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        *,
        began_ns: int,
        ended_ns: int,
        attributes: Attributes,
        failure: str | None,
    ) -> None:
        if not context.is_sampled:
            return
        with self._ids.given(context):
            span = self._tracer.start_span(name, _within(parent), attributes=attributes, start_time=began_ns)
        if failure is not None:
            _OtelSpan(span).fail(failure)
        span.end(ended_ns)


class _OtelSpan:
    def __init__(self, span: otel.Span) -> None:
        self._span = span
        given = span.get_span_context()
        self.context = SpanContext(given.trace_id, given.span_id, given.trace_flags.sampled)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, code: str) -> None:
        self._span.set_attribute("error.type", code)
        self._span.set_status(otel.StatusCode.ERROR, code)

    def end(self) -> None:
        self._span.end()


class GivenIds(RandomIdGenerator):
    """Random ids, but those that were given for the span being begun: digests, as good as random."""

    def __init__(self) -> None:
        self._given: SpanContext | None = None

    def generate_span_id(self) -> int:
        return super().generate_span_id() if self._given is None else self._given.span_id

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self._given is None else self._given.trace_id

    @contextmanager
    def given(self, context: SpanContext) -> Iterator[None]:
        """Until the end of the block, which waits for nothing, spans are ``context``."""
        self._given = context
        try:
            yield
        finally:
            self._given = None


class ToldExporter(SpanExporter):
    """Tells in the log once that spans do not arrive, and once that they do again. ``said`` is what the
    exporter says of it."""

    def __init__(self, exporter: SpanExporter, said: "LastWord") -> None:
        self._exporter = exporter
        self._said = said
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                log.warning("traces do not arrive at their collector", error=self._said.text)
            self._lost += len(spans)
        elif self._lost:
            log.info("traces arrive at their collector again", lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class LastWord(logging.Handler):
    """Keeps what was said last: the exporter's own lines come with every try, for as long as it fails."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def _heard() -> LastWord:
    """Listens to the exporter from now on, in place of the log."""
    said, exporters = LastWord(), logging.getLogger("opentelemetry.exporter")
    exporters.handlers, exporters.propagate = [said], False
    # Spans that a full queue drops: a line each would be the next trouble.
    logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)
    return said


@asynccontextmanager
async def sent_spans(settings: Settings) -> AsyncIterator[None]:
    """Until the end of the block, spans are kept and sent; then those still queued are given a moment.

    One at a time in a process. Nothing is kept when the environment says ``OTEL_SDK_DISABLED=true``.
    """
    ids = GivenIds()
    provider = TracerProvider(resource=_resource(settings), id_generator=ids, shutdown_on_exit=False)
    if isinstance(provider.get_tracer(__name__), otel.NoOpTracer):
        yield
        return
    provider.add_span_processor(BatchSpanProcessor(ToldExporter(OTLPSpanExporter(), _heard())))
    tracer: Tracer = OtelTracer(provider, ids)
    TRACING.tracer = tracer
    try:
        yield
    finally:
        TRACING.tracer = None
        await _end(provider)


def _resource(settings: Settings) -> Resource:
    """What all spans of this process tell of it; the environment has the last word."""
    ours = Resource(
        {
            "service.name": "bessemer",
            "service.version": version("bessemer"),
            "host.name": settings.default.host,
        }
    )
    return Resource.create(ours.merge(OTELResourceDetector().detect()).attributes)


def _within(parent: SpanContext | None) -> Context:
    """The library's own form of "below this span"; nothing of it is kept between calls."""
    if parent is None:
        return Context()
    flags = otel.TraceFlags(otel.TraceFlags.SAMPLED if parent.is_sampled else otel.TraceFlags.DEFAULT)
    above = otel.SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags)
    return otel.set_span_in_context(otel.NonRecordingSpan(above), Context())


async def _end(provider: TracerProvider) -> None:
    """Let what is queued leave, for a few seconds at most: the thread that waits for it keeps nobody."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop was not there any more
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=end, name="end of traces", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_S):
            await ended.wait()
