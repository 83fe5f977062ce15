"""A request's span: a part of the caller's trace where it names one.

Paths are not told, since some carry what opens them: the route is. Source: W3C Trace Context, "Processing
model"; OpenTelemetry, "Semantic conventions for HTTP spans".
"""

from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

import structlog

from bessemer.kernel.trace import TRACING, Kind, Span, SpanContext, Tracer, around, read_traceparent

HEADER: Final = b"traceparent"

_NOTHING: Final = nullcontext[None]()


def request_span(scope: MutableMapping[str, Any], request_id: str) -> AbstractContextManager[Span | None]:
    """The span of a request until the end of the block, and its trace in every line logged there; None where
    no traces are kept."""
    tracer = TRACING.tracer
    return _NOTHING if tracer is None else _begun(tracer, scope, request_id)


@contextmanager
def _begun(tracer: Tracer, scope: MutableMapping[str, Any], request_id: str) -> Iterator[Span]:
    attributes = {"bessemer.request": request_id}
    with (
        around(tracer, "request", Kind.SERVER, _asker(scope), attributes) as span,
        structlog.contextvars.bound_contextvars(trace=span.context.trace),
    ):
        yield span


def _asker(scope: MutableMapping[str, Any]) -> SpanContext | None:
    """The caller's span. One who names several names none."""
    given = [value for name, value in scope["headers"] if name == HEADER]
    return read_traceparent(given[0].decode("latin-1")) if len(given) == 1 else None


def tell_request(span: Span, method: str, route: str, status: int) -> None:
    """How the request ended."""
    span.rename(f"{method} {route}")
    span.note({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    if status >= 500:
        span.fail(str(status))
