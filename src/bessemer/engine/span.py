"""The spans of operations and their steps: one tree, whichever processes had a part in it.

An operation's span has an id that follows from its own, and is written by whoever brings it to its end. A
span of a step is one call of one of its faces, in one process. What led to the operation is kept with it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, Final

import structlog

from bessemer.domain.operation import Operation
from bessemer.engine.workflow import Step, Verdict, Wait
from bessemer.kernel.clock import Timestamp, from_timestamp, seconds_between
from bessemer.kernel.trace import (
    TRACING,
    Attributes,
    Kind,
    Span,
    SpanContext,
    Tracer,
    around,
    current,
    follow,
    read_traceparent,
    span_of,
)

_FACES: Final = ("until", "check", "undo")
_NOTHING: Final = nullcontext[None]()
_EPOCH: Final = from_timestamp("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


def asker() -> str:
    """What asks for an operation now, to be kept with it; empty where no traces are kept."""
    asking = current()
    return "" if TRACING.tracer is None or asking is None else asking.traceparent


def carry_on(operation: Operation) -> None:
    """What the running task does from here on, and logs, belongs to the operation."""
    if TRACING.tracer is None:
        return
    context, _ = _place(TRACING.tracer, operation)
    follow(context)
    structlog.contextvars.bind_contextvars(trace=context.trace)


def attempt(step: Step[Any], face: Any, operation: Operation) -> AbstractContextManager[Span | None]:
    """The span of one call of a face of ``step``; None where no traces are kept."""
    tracer = TRACING.tracer
    return _NOTHING if tracer is None else _attempt(tracer, step, face, operation)


@contextmanager
def _attempt(tracer: Tracer, step: Step[Any], face: Any, operation: Operation) -> Iterator[Span]:
    context, _ = _place(tracer, operation)
    attributes = {
        **_whose(operation),
        "bessemer.step": step.name,
        "bessemer.face": next((name for name in _FACES if getattr(step, name) is face), "run"),
        "bessemer.attempt": max(1, operation.attempt),
        "bessemer.conductor": operation.owner or "",
        "bessemer.outcome": "failed",
    }
    with around(tracer, step.name, Kind.INTERNAL, context, attributes) as span:
        try:
            yield span
        except asyncio.CancelledError:
            span.note({"bessemer.outcome": "interrupted"})
            raise


def note_outcome(span: Span | None, answer: Any) -> None:
    """What the face answered."""
    if span is None:
        return
    if isinstance(answer, Wait):
        outcome = "waiting"
    elif isinstance(answer, Verdict):
        outcome = answer.value
    else:
        outcome = "done"
    span.note({"bessemer.outcome": outcome})


def tell_end(operation: Operation) -> None:
    """The operation is over, and that is written: tell its whole span, from when it was asked for."""
    tracer = TRACING.tracer
    if tracer is None or operation.finished_at is None:
        return
    context, above = _place(tracer, operation)
    queued_until = operation.started_at or operation.finished_at
    tracer.record(
        operation.kind,
        context,
        above,
        began_ns=_nanoseconds(operation.created_at),
        ended_ns=_nanoseconds(operation.finished_at),
        attributes={
            **_whose(operation),
            "bessemer.request": operation.request_id,
            "bessemer.state": operation.state.value,
            "bessemer.queued_s": max(0.0, seconds_between(operation.created_at, queued_until)),
        },
        failure=None if operation.error is None else operation.error.code,
    )


def _place(tracer: Tracer, operation: Operation) -> tuple[SpanContext, SpanContext | None]:
    """The operation's span, and the one above it. What nobody asked for with a trace begins one."""
    above = read_traceparent(operation.traceparent) if operation.traceparent else None
    context = span_of(operation.uuid, within=above)
    return (context if above else tracer.sampled(context, operation.kind)), above


def _whose(operation: Operation) -> Attributes:
    return {
        "bessemer.operation": operation.uuid,
        "bessemer.node": operation.node_uuid,
        "bessemer.kind": operation.kind,
    }


def _nanoseconds(moment: Timestamp) -> int:
    return (from_timestamp(moment) - _EPOCH) // _MICROSECOND * 1000
