"""A collector of traces: takes OTLP over HTTP (protobuf) as a real one does, and keeps what it was told."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from fakes.wait import until


@dataclass(frozen=True)
class Told:
    """One span, ids as hexadecimal text; ``parent`` is empty where it has none."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    attributes: dict[str, Any]
    resource: dict[str, Any]
    began_ns: int
    ended_ns: int
    is_error: bool


@dataclass
class Collector:
    """``answers`` says with which status it answers; ``hangs`` lets it take requests and never answer."""

    url: str = ""
    answers: int = 200
    hangs: bool = False
    spans: list[Told] = field(default_factory=list)
    requests: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def of(self, trace: str) -> list[Told]:
        return [span for span in self.spans if span.trace == trace]

    def named(self, name: str) -> list[Told]:
        return [span for span in self.spans if span.name == name]

    async def has(self, name: str, *, count: int = 1, timeout_s: float = 60.0) -> list[Told]:
        """The spans of that name, as soon as there are so many."""
        await until(lambda: len(self.named(name)) >= count, timeout_s=timeout_s)
        return self.named(name)

    async def take(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.answers != 200:
            return web.Response(status=self.answers)
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert request.headers["Content-Type"] == "application/x-protobuf"
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        self.spans += _read(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def _read(body: bytes) -> list[Told]:
    return [
        Told(
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            name=span.name,
            kind=span.kind,
            attributes=_values(span.attributes),
            resource=_values(one.resource.attributes),
            began_ns=span.start_time_unix_nano,
            ended_ns=span.end_time_unix_nano,
            is_error=span.status.code == span.status.STATUS_CODE_ERROR,
        )
        for one in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector at loopback, until the end of the block."""
    collector = Collector()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
