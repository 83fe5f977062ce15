"""Node locks: what to do with a request for a node that an operation is working on right now.

Nobody holds such a lock while a request waits for it: a request looks, and looks again. ``reservation`` names
the conductor at work; it is set and cleared in the operation's own transactions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bessemer.config.settings import ConductorSettings
from bessemer.kernel.error import NodeLocked

T = TypeVar("T")

_FIRST_PAUSE_S = 0.05


class LockWait:
    """How long a request is ready to wait: ``[conductor]node_locked_retry_attempts`` x ``_interval``."""

    def __init__(self, settings: ConductorSettings) -> None:
        self._interval_s = settings.node_locked_retry_interval
        self._patience_s = settings.node_locked_retry_attempts * settings.node_locked_retry_interval

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of ``attempt``, which must have changed nothing when it raises NodeLocked.

        The pauses grow from a twentieth of a second to the interval: short work is not waited for long.

        Raises:
            NodeLocked: It still does when patience has run out.
        """
        waited_s, pause_s = 0.0, min(_FIRST_PAUSE_S, self._interval_s)
        while True:
            try:
                return await attempt()
            except NodeLocked:
                if waited_s >= self._patience_s:
                    raise
            await asyncio.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, self._interval_s)
