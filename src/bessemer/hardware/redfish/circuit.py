"""Whether a BMC is worth asking: one that does not answer is left alone by sweeps for longer and longer.

Its failure is logged once and so is its recovery. Users are never turned away: they want to know how it is
now, and the first answer they get ends the silence for everybody.
"""

from collections.abc import Callable

import structlog

from bessemer.hardware.redfish.failure import BmcUnreachable
from bessemer.hardware.urgency import Urgency
from bessemer.kernel.backoff import Backoff

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(first_s=5.0, most_s=300.0)


class Circuit:
    """Of the BMC called ``name``. ``now`` is a steady clock, in seconds."""

    __slots__ = ("_failures", "_name", "_next_at", "_now")

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        self._failures = 0
        self._next_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the last call had no answer."""
        return self._failures > 0

    def check(self, urgency: Urgency) -> None:
        """Before a call.

        Raises:
            BmcUnreachable: It would be a sweep's, and the BMC was silent too recently.
        """
        if not self.is_open or urgency is Urgency.USER:
            return
        wait_s = self._next_at - self._now()
        if wait_s > 0:
            raise BmcUnreachable(
                f"The BMC at {self._name} has not answered {self._failures} calls in a row;"
                f" it is asked again in {wait_s:.0f} s.",
                is_unsent=True,
            )
        # One look is enough to find out; others that come meanwhile wait for its result.
        self._next_at = self._now() + _BACKOFF.delay_s(self._failures)

    def note_answer(self) -> None:
        """The BMC answered, be it with an error."""
        if self.is_open:
            log.info("BMC answers again", bmc=self._name, failures=self._failures)
            self._failures = 0

    def note_silence(self, reason: str) -> None:
        """A call, with all its tries, had no answer."""
        if not self.is_open:
            log.warning("BMC does not answer", bmc=self._name, reason=reason)
        self._failures += 1
        self._next_at = self._now() + _BACKOFF.delay_s(self._failures)
