"""Events that machines' BMCs bring: each hastens the look at its machine, and is a fact of nothing.

What an event says is not read: the look finds out how things are. So nobody who can post events, a BMC that
was broken into among them, can make us believe anything.
"""

import asyncio
import heapq
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bessemer.kernel.error import Unavailable
from bessemer.store.database import Database
from bessemer.store.duty import HEALTH, POWER, hasten_duty
from bessemer.store.event_subscription import note_heard
from bessemer.store.event_token import find_event_node

log = structlog.get_logger(__name__)

#: Pause after a look that was hastened, before the next one may be: twice as long each time, while a machine
#: keeps talking, up to the longest. One that shouts costs no more than one that is polled.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
#: A machine that was quiet for so long starts afresh.
_FORGET_S = 300.0
#: Events are written down together with those that come so soon after.
_GATHER_S = 0.05
#: Pause when the database is away.
_AWAY_S = 5.0
#: Machines whose pauses are remembered, and looks written by one transaction.
_MOST_REMEMBERED, _MOST_TOGETHER = 50_000, 500


@dataclass(slots=True)
class _Pace:
    """When the next look may be hastened, and whether one has been asked for."""

    next_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    is_waiting: bool = False


class MachineEvents:
    """One per process of the API. No event is lost to the pace: one that comes too soon hastens a look later,
    so that the last of a series is always followed by one."""

    def __init__(self, database: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._paces: OrderedDict[str, _Pace] = OrderedDict()
        self._queue: list[tuple[float, str]] = []
        self._came = asyncio.Event()

    def find_node(self, token: str) -> str | None:
        """UUID of the node that the token was made for; None when it was not made by us. Raises Unavailable
        when the process has no keys."""
        return find_event_node(self._database.vault, token)

    def note(self, node_uuid: str) -> bool:
        """Something happened to the machine; False when that is known already."""
        pace = self._paces.setdefault(node_uuid, _Pace())
        self._paces.move_to_end(node_uuid)
        if pace.is_waiting:
            return False
        pace.is_waiting = True
        heapq.heappush(self._queue, (max(pace.next_at, self._monotonic()), node_uuid))
        self._came.set()
        return True

    async def run(self) -> None:
        """Hasten looks until cancelled."""
        while True:
            self._came.clear()
            if self.is_due:
                await asyncio.sleep(_GATHER_S)
                await self._hasten_safely()
            else:
                await self._wait(self._queue[0][0] - self._monotonic() if self._queue else None)

    @property
    def is_due(self) -> bool:
        """Whether a look is to be hastened now."""
        return bool(self._queue) and self._queue[0][0] <= self._monotonic()

    async def _hasten_safely(self) -> None:
        try:
            await self.hasten()
        except Exception:  # the top edge: what comes later is to be taken all the same
            log.exception("looks at machines could not be hastened")
            await asyncio.sleep(_AWAY_S)

    async def hasten(self) -> int:
        """Hasten the looks that are due; how many they were."""
        return await self._write(self._take_due(self._monotonic()))

    async def finish(self) -> None:
        """Hasten every look that was asked for, without its pause: nobody will be here after it. What the
        database does not take now is lost; polling finds out."""
        while self._queue and await self._write(self._take_due(math.inf)):
            pass

    async def _write(self, due: list[str]) -> int:
        if not due:
            return 0
        try:
            async with self._database.write() as tx:
                await note_heard(tx, due)
                await hasten_duty(tx, POWER, *due)
                await hasten_duty(tx, HEALTH, *due)
        except Unavailable as error:
            log.debug("events wait for the database", error=str(error))
            self._put_back(due)
            return 0
        except asyncio.CancelledError:
            self._put_back(due)
            raise
        return len(due)

    def _put_back(self, due: list[str]) -> None:
        for uuid in due:
            pace = self._paces.setdefault(uuid, _Pace())
            if not pace.is_waiting:  # else one came meanwhile and is in the queue
                pace.is_waiting = True
                heapq.heappush(self._queue, (self._monotonic() + _AWAY_S, uuid))

    def _take_due(self, until: float) -> list[str]:
        """Out of the queue what may be hastened at ``until``."""
        now = self._monotonic()
        due: list[str] = []
        while self._queue and self._queue[0][0] <= until and len(due) < _MOST_TOGETHER:
            uuid = heapq.heappop(self._queue)[1]
            due.append(uuid)
            pace = self._paces.setdefault(uuid, _Pace())
            is_fresh = now - pace.next_at > _FORGET_S
            pace.pause_s = FIRST_PAUSE_S if is_fresh else min(2 * pace.pause_s, LONGEST_PAUSE_S)
            pace.next_at, pace.is_waiting = now + pace.pause_s, False
        self._forget()
        return due

    def _forget(self) -> None:
        while len(self._paces) > _MOST_REMEMBERED and not next(iter(self._paces.values())).is_waiting:
            self._paces.popitem(last=False)

    async def _wait(self, for_s: float | None) -> None:
        try:
            async with asyncio.timeout(for_s):
                await self._came.wait()
        except TimeoutError:
            return
