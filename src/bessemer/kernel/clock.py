"""Time: one representation everywhere, and a clock that tests can hold still.

A timestamp is text in RFC 3339, UTC, with microseconds and a ``+00:00`` offset:
``2026-11-23T11:14:03.000123+00:00``. The width never changes, so text order is time order, in Python and in
both databases, and the API can send what the database holds without touching it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

Timestamp = str


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class SteadyClock:
    """Goes on from the moment it was last set to, by the machine's monotonic clock: whoever moves the host's
    clock does not move this one."""

    def __init__(self, clock: Clock | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.set((clock or SystemClock()).now())

    def now(self) -> datetime:
        return self._moment + timedelta(seconds=self._monotonic() - self._set_at)

    def set(self, moment: datetime) -> None:
        """It is ``moment`` now."""
        self._moment, self._set_at = moment, self._monotonic()


def to_timestamp(moment: datetime) -> Timestamp:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_timestamp(text: Timestamp) -> datetime:
    """Raises ValueError when ``text`` is not a timestamp."""
    return datetime.fromisoformat(text)


def timestamp(clock: Clock, *, after_s: float = 0.0) -> Timestamp:
    """Now, or ``after_s`` seconds from now (negative: before)."""
    moment = clock.now()
    return to_timestamp(moment + timedelta(seconds=after_s) if after_s else moment)


def seconds_between(earlier: Timestamp, later: Timestamp) -> float:
    return (from_timestamp(later) - from_timestamp(earlier)).total_seconds()
