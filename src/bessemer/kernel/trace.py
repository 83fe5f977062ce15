"""Which request led to what, across processes: the face of traces that every layer may use.

Without a tracer nothing is traced, and every place that could begin a span finds that out by one look. The
library that writes and sends spans is behind ``Tracer``; who wants traces puts one into ``TRACING``.
Source: W3C Trace Context (level 1), "traceparent header".
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from bessemer.kernel.error import BessemerError

#: What spans tell besides their names. Nothing secret, and no text that somebody else wrote.
Attributes = Mapping[str, str | int | float | bool]

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1


class Kind(StrEnum):
    """SERVER: somebody's call to us. CLIENT: our call to somebody. INTERNAL: neither."""

    SERVER = "server"
    CLIENT = "client"
    INTERNAL = "internal"


class SpanContext(NamedTuple):
    """Which span something belongs to. One that is not sampled is sent nowhere, and nothing below it."""

    trace_id: int
    span_id: int
    is_sampled: bool

    @property
    def trace(self) -> str:
        """The trace's id as traces are looked up by."""
        return f"{self.trace_id:032x}"

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.is_sampled):02x}"


class Span(Protocol):
    """Something that has begun and will end in this process."""

    @property
    def context(self) -> SpanContext: ...

    def rename(self, name: str) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, code: str) -> None:
        """It went wrong; ``code`` says how, in words of the program."""

    def end(self) -> None: ...


class Tracer(Protocol):
    """Writes spans. No method waits for anything, or raises because spans cannot be sent."""

    def begin(self, name: str, kind: Kind, parent: SpanContext | None, attributes: Attributes) -> Span:
        """A span that begins now; without a ``parent`` it is the first of its trace."""

    def sampled(self, context: SpanContext, name: str) -> SpanContext:
        """``context`` as the first of its trace: whether it is sampled is decided here, in every process in
        the same way."""

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
        """A span that is over, and may have lasted longer than any process."""


class Tracing:
    """Where the process's tracer is, if there is one."""

    def __init__(self) -> None:
        self.tracer: Tracer | None = None


TRACING: Final = Tracing()

_CURRENT: Final = ContextVar[SpanContext | None]("bessemer_span", default=None)
_NOTHING: Final = nullcontext[None]()


def read_traceparent(text: str) -> SpanContext | None:
    """The span that a ``traceparent`` header names; None when it is none. Of versions after ours the part
    that we know counts."""
    found = _TRACEPARENT.fullmatch(text.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    context = SpanContext(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & _SAMPLED))
    return context if context.trace_id and context.span_id else None


def span_of(uuid: str, *, within: SpanContext | None) -> SpanContext:
    """The span of the durable thing called ``uuid``: the same in every process, without being kept anywhere.
    ``within`` is the span that led to it; without one, it is the first of a trace that follows from its name
    too. Ids are digests: samplers compare their bits, and those of a UUID are not all random.
    """
    digest = sha256(UUID(uuid).bytes).digest()
    trace_id, span_id = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    if within is None:
        return SpanContext(trace_id, span_id, is_sampled=False)
    return SpanContext(within.trace_id, span_id, within.is_sampled)


def current() -> SpanContext | None:
    """What the running task works for."""
    return _CURRENT.get()


def follow(context: SpanContext) -> None:
    """What this task does from here on belongs to ``context``."""
    _CURRENT.set(context)


def span(name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span | None]:
    """A span around a block, as a part of what the task works for: an error that leaves the block is noted.
    None where there is nothing to be a part of: what goes on by itself is not traced."""
    tracer, parent = TRACING.tracer, _CURRENT.get()
    if tracer is None or parent is None:
        return _NOTHING
    return around(tracer, name, kind, parent, attributes)


@contextmanager
def around(
    tracer: Tracer, name: str, kind: Kind, parent: SpanContext | None, attributes: Attributes
) -> Iterator[Span]:
    """As ``span``, below any ``parent`` or none."""
    span = tracer.begin(name, kind, parent, attributes)
    token = _CURRENT.set(span.context)
    try:
        yield span
    except BaseException as error:
        span.fail(error.code if isinstance(error, BessemerError) else type(error).__name__)
        raise
    finally:
        _CURRENT.reset(token)
        span.end()
