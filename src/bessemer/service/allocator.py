"""Grants waiting allocations, one after the other: woken by each new one, and by a timer for those that
nobody granted because their process ended."""

import asyncio
import random

import structlog

from bessemer.domain.allocation import Arrange, at_random
from bessemer.kernel.error import NotFound
from bessemer.store.allocation import list_waiting_allocations
from bessemer.store.allocation_claim import claim_candidate
from bessemer.store.database import Database

log = structlog.get_logger(__name__)

#: How often to look without being woken.
PAUSE_S = 30.0
_MOST_AT_ONCE = 100


class Allocator:
    """Any number of them may work on one database. ``arrange``: which of equally good nodes comes first."""

    def __init__(self, database: Database, arrange: Arrange | None = None) -> None:
        self._database = database
        self._arrange = arrange or at_random(random.SystemRandom())
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is a new allocation."""
        self._woken.set()

    async def run(self, *, pause_s: float = PAUSE_S) -> None:
        """Grant what waits, now and whenever something new does, until cancelled. A failure is logged and
        what it left waiting is tried again ``pause_s`` later."""
        while True:
            self._woken.clear()
            try:
                await self.settle_waiting()
            except Exception:
                log.exception("allocations not settled")
            try:
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
            except TimeoutError:
                log.debug("looking for waiting allocations")

    async def settle_waiting(self) -> int:
        """Settle the allocations that wait, oldest first; how many were settled. Idempotent. One that fails
        is logged, waits on, and does not keep back the others.

        Raises:
            Unavailable: The database is gone.
        """
        count = 0
        failed: set[str] = set()
        while True:
            async with self._database.read() as tx:
                found = await list_waiting_allocations(tx, len(failed) + _MOST_AT_ONCE)
            waiting = [one.uuid for one in found if one.uuid not in failed]
            for uuid in waiting:
                if await self._settle(uuid):
                    count += 1
                else:
                    failed.add(uuid)
            if len(waiting) < _MOST_AT_ONCE:
                return count

    async def _settle(self, uuid: str) -> bool:
        try:
            async with self._database.write() as tx:
                settled = await claim_candidate(tx, uuid, arrange=self._arrange)
        except NotFound:  # it was deleted meanwhile
            return False
        except Exception:
            log.exception("allocation not settled", allocation=uuid)
            return False
        log.info(
            "allocation settled",
            allocation=uuid,
            state=settled.state,
            node=settled.node_uuid,
            reason=settled.last_error,
        )
        return True
