"""The lease under which a process owns what it works on, and the question before each act: is it still so?

A process that was stopped, or whose event loop stood still, wakes up in the middle of a line. What it would
do next to a machine may be somebody else's by now, and its timers have not told it yet. Whoever sends
something that changes the world asks ``check_may_act`` first: the answer costs a look at a clock.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from bessemer.kernel.error import LeaseEnded

#: Goes on while the host is suspended, where there is such a clock; the monotonic one stands still then.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed_s() -> float:
    """Seconds by a clock that nobody moves and no suspension stops."""
    return time.clock_gettime(_CLOCK)


class Lease:
    """Granted again and again. One that had ended before it was granted again is another one: what was begun
    under the first may belong to others, and is not covered by the second."""

    def __init__(self, now: Callable[[], float] = elapsed_s) -> None:
        self.now = now
        self._ends_at = -math.inf
        self._number = 0

    def grant(self, asked_at: float, length_s: float) -> None:
        """What was asked for at ``asked_at`` (by ``now``) was granted, for ``length_s`` seconds from then."""
        if self.is_over:
            self._number += 1
        self._ends_at = asked_at + length_s

    @property
    def left_s(self) -> float:
        """Seconds until it ends; below zero when it has ended."""
        return self._ends_at - self.now()

    @property
    def is_over(self) -> bool:
        return self.left_s <= 0

    @property
    def tenure(self) -> "Tenure":
        """The right to act for as long as this lease is renewed in time."""
        return Tenure(self, self._number)

    def covers(self, number: int) -> bool:
        return number == self._number and not self.is_over


@dataclass(frozen=True, slots=True)
class Tenure:
    lease: Lease
    number: int

    @property
    def has_ended(self) -> bool:
        """Whether the lease has ended since, be it for a moment."""
        return not self.lease.covers(self.number)

    def check(self) -> None:
        """Raises LeaseEnded when it has ended."""
        if self.has_ended:
            raise LeaseEnded("The lease of this process was over just before a call that changes something.")


_tenure: ContextVar[Tenure | None] = ContextVar("tenure", default=None)


def act_under(tenure: Tenure) -> None:
    """What this task and its children do from now on needs ``tenure``."""
    _tenure.set(tenure)


def check_may_act() -> None:
    """To be called just before something is sent that changes the world outside.

    Raises:
        LeaseEnded: What this task works on may be somebody else's; nothing must be sent.
    """
    tenure = _tenure.get()
    if tenure is not None:
        tenure.check()
