"""How urgent a call to a machine is: what somebody waits for goes before what is done by the clock.

Drivers' methods do not take this as an argument; it goes with the task that calls them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Urgency(IntEnum):
    """The smaller the sooner."""

    #: A request, or a step of an operation.
    USER = 0
    #: A look that will be repeated anyway.
    SWEEP = 1


_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.USER)


def current_urgency() -> Urgency:
    return _urgency.get()


@contextmanager
def sweeping() -> Iterator[None]:
    """What the block calls can wait."""
    token = _urgency.set(Urgency.SWEEP)
    try:
        yield
    finally:
        _urgency.reset(token)
