"""Turns at one BMC: few calls at a time, users' before sweeps'."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bessemer.hardware.urgency import Urgency


class Turns:
    """``places`` calls at a time. Where there are several, sweeps leave one free for users."""

    __slots__ = ("_free", "_kept_for_users", "_waiting")

    def __init__(self, places: int) -> None:
        self._free = max(1, places)
        self._kept_for_users = 1 if places > 1 else 0
        self._waiting: list[tuple[Urgency, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def take(self, urgency: Urgency) -> AsyncIterator[None]:
        """Wait for a turn; it lasts as long as the block."""
        if self._waiting or not self._has_room(urgency):
            await self._wait(urgency)
        else:
            self._free -= 1
        try:
            yield
        finally:
            self._free += 1
            self._admit()

    async def _wait(self, urgency: Urgency) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((urgency, turn))
        self._admit()  # users go past sweeps that wait for room
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came at the same moment
                self._free += 1
            elif (urgency, turn) in self._waiting:  # else a turn came, and has passed this one over
                self._waiting.remove((urgency, turn))
            self._admit()
            raise

    def _admit(self) -> None:
        """Give the free places to those who waited longest, users first."""
        for urgency in Urgency:
            for entry in [entry for entry in self._waiting if entry[0] is urgency]:
                if not self._has_room(urgency):
                    break
                self._waiting.remove(entry)
                if not entry[1].done():
                    self._free -= 1
                    entry[1].set_result(None)

    def _has_room(self, urgency: Urgency) -> bool:
        return self._free > (self._kept_for_users if urgency is Urgency.SWEEP else 0)
