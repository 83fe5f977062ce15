"""Telling the service, again and again, that this agent is alive and where."""

import random
import threading
import time
from collections.abc import Callable

from bessemer_agent.journal import say

#: Of the service's timeout: random, so that machines spread after the service was away.
_LEAST_SHARE, _MOST_SHARE = 0.3, 0.6
#: Pause after a failure, seconds.
_LEAST_RETRY_S, _MOST_RETRY_S = 5.0, 10.0
#: Forced heartbeats come at most this often, seconds.
_LEAST_FORCED_S = 5.0


class Heartbeat:
    """Beats in a thread.

    Args:
        beat: Sends one; raises what the service or the network does.
        timeout_s: After how long without one the service gives the agent up.
        clock: Monotonic seconds.
    """

    def __init__(
        self, beat: Callable[[], None], timeout_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._beat = beat
        self._timeout_s = timeout_s
        self._clock = clock
        self._wake = threading.Condition()
        self._is_forced = self._is_stopped = self._is_failing = False
        self._last_s: float | None = None

    def force(self) -> None:
        """Beat soon: something happened that the service waits for."""
        with self._wake:
            self._is_forced = True
            self._wake.notify_all()

    def stop(self) -> None:
        """End :meth:`run`. Idempotent."""
        with self._wake:
            self._is_stopped = True
            self._wake.notify_all()

    def run(self) -> None:
        """Beat until stopped, at once for the first time."""
        while True:
            pause_s = self.beat_once()
            if not self._wait(pause_s):
                return

    def beat_once(self) -> float:
        """Beat, and say how many seconds to wait for the next one; failures are told once, as is recovery."""
        with self._wake:
            self._is_forced = False
        try:
            self._beat()
        except Exception as error:  # noqa: BLE001 - an agent that stops beating is a lost machine
            if not self._is_failing:
                say("heartbeat failed", why=f"{type(error).__name__}: {error}")
            self._is_failing = True
            return random.uniform(_LEAST_RETRY_S, _MOST_RETRY_S)  # noqa: S311 - only to spread
        if self._is_failing:
            say("heartbeat works again")
        elif self._last_s is None:
            say("first heartbeat accepted")
        self._is_failing, self._last_s = False, self._clock()
        return self._timeout_s * random.uniform(_LEAST_SHARE, _MOST_SHARE)  # noqa: S311 - only to spread

    def _wait(self, pause_s: float) -> bool:
        due = self._clock() + pause_s
        with self._wake:
            while not self._is_stopped:
                if self._is_forced and self._last_s is not None:
                    due = min(due, self._last_s + _LEAST_FORCED_S)
                remaining = due - self._clock()
                if remaining <= 0:
                    return True
                self._wake.wait(remaining)
        return False
