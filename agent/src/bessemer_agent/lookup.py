"""Finding out which node this machine is."""

import random
import time
from collections.abc import Callable, Sequence

from bessemer_agent.error import LookupFailed
from bessemer_agent.http_client import TRANSPORT_ERRORS, HttpStatusError
from bessemer_agent.journal import say
from bessemer_agent.service_api import BadAnswer, Found, ServiceApi

#: Longest pause between two attempts, seconds.
_LONGEST_PAUSE_S = 60.0
#: Pauses while somebody works on the node; the last one repeats.
_LOCKED_PAUSES_S = (5.0, 10.0, 30.0)
_CONFLICT = 409


class LookupLoop:
    """Asks one service after the other until one knows this machine.

    Args:
        services: In order of preference.
        timeout_s: When to give up.
        interval_s: Least pause between two rounds; it grows, and is random so that a rack's machines spread.
        pause: Sleeps.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        services: Sequence[ServiceApi],
        *,
        timeout_s: float,
        interval_s: float,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._timeout_s = timeout_s
        self._interval_s = interval_s
        self._pause = pause
        self._clock = clock
        self._conflicts = 0

    def run(
        self, list_macs: Callable[[], Sequence[str]], node_uuid: str | None = None
    ) -> tuple[ServiceApi, Found]:
        """Look up until found; the service that knew and what it told.

        The MAC addresses are listed anew each time: a network card may be found late.

        Raises:
            LookupFailed: None did within the time; says what they answered last.
        """
        deadline = self._clock() + self._timeout_s
        longest = self._interval_s
        told = ""
        while True:
            for service in self._services:
                answer = self._ask(service, list_macs(), node_uuid)
                if isinstance(answer, Found):
                    return service, answer
                if answer != told:  # the same refusal every second would hide everything else on the console
                    say("lookup not answered yet", service=service.url, why=answer)
                    told = answer
            pause_s = self._next_pause(longest)
            longest = min(longest * 2, _LONGEST_PAUSE_S)
            if self._clock() + pause_s > deadline:
                raise LookupFailed(f"no success within {self._timeout_s:.0f} s; last: {told}")
            self._pause(pause_s)

    def _ask(self, service: ServiceApi, macs: Sequence[str], node_uuid: str | None) -> Found | str:
        is_conflict = False
        try:
            return service.lookup(macs, node_uuid)
        except HttpStatusError as error:
            is_conflict = error.status == _CONFLICT
            return error.details
        except BadAnswer as error:
            return error.details
        except TRANSPORT_ERRORS as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self._conflicts = self._conflicts + 1 if is_conflict else 0

    def _next_pause(self, longest: float) -> float:
        if self._conflicts:
            return _LOCKED_PAUSES_S[min(self._conflicts, len(_LOCKED_PAUSES_S)) - 1]
        return random.uniform(self._interval_s, max(longest, self._interval_s))  # noqa: S311 - only to spread
