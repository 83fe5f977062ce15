"""Sweeps: duties towards each node, done again and again, shared between the conductors of a group.

A sweep holds no lock while it looks at a node, and keeps nothing between looks but a time and a number, in
the node's row of ``node_duties``. What it finds to do it does by the same doors as everybody: a short
transaction that looks again, or an operation.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import NotFound, Unavailable
from bessemer.store.database import Database
from bessemer.store.duty import HASTENED, NodeDuty, Outcome, claim_node_duties, finish_node_duties

_log = structlog.get_logger()

#: Between claims: many nodes are claimed, and many done with, in one transaction.
PAUSE_S = 0.25
#: Between looks when no node is due.
LOOK_S = 2.0
#: Longest look at one node.
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Again:
    """When to look at the node again, and how often in a row looking has failed."""

    in_s: float
    failures: int = 0


#: Looks at a node, given how often in a row that has failed.
Look = Callable[[str, int], Awaitable[Again]]


class Sweep:
    """``look`` is called for each node of ``group`` about every ``interval_s`` seconds, for ``workers`` nodes
    at once at most. Where the duty needs the machine, only for those of the hardware types ``drivers`` (None:
    of any)."""

    def __init__(
        self,
        database: Database,
        duty: str,
        group: str,
        look: Look,
        *,
        interval_s: float,
        workers: int,
        drivers: Sequence[str] | None = None,
    ) -> None:
        self._database = database
        self._duty = duty
        self._group = group
        self._look = look
        self._interval_s = interval_s
        self._workers = workers
        self._drivers = drivers
        self._places = asyncio.Semaphore(workers)
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[Outcome] = []
        self._freed = asyncio.Event()

    async def run(self, *, look_s: float = LOOK_S) -> None:
        """Sweep until cancelled. What is being looked at then is due again later."""
        try:
            async with self._database.listen(HASTENED, self._hastened):
                await self._turns(look_s)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _turns(self, look_s: float) -> None:
        while True:
            is_more = await self._turn()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if is_more else look_s):
                    await self._freed.wait()
            await asyncio.sleep(PAUSE_S)

    def _hastened(self, duty: str) -> None:
        if duty in (self._duty, ""):  # nothing: something may have been missed
            self._freed.set()

    async def _turn(self) -> bool:
        """Write down what was done and claim what is due; whether there is more than could be claimed."""
        room = 4 * self._workers - len(self._tasks)
        done, self._done = self._done, []
        self._freed.clear()
        try:
            async with self._database.write() as tx:
                await finish_node_duties(tx, self._duty, done)
                until = timestamp(tx.clock, after_s=2 * LIMIT_S)
                claimed = await claim_node_duties(
                    tx,
                    self._duty,
                    self._group,
                    limit=room,
                    claimed_until=until,
                    drivers=self._drivers,
                )
        except Unavailable as error:
            self._done = done + self._done
            _log.debug("a sweep waits for the database", duty=self._duty, error=str(error))
            return False
        for one in claimed:
            task = asyncio.create_task(self._visit(one), name=f"{self._duty} of node {one.node_uuid}")
            self._tasks.add(task)
            task.add_done_callback(self._visited)
        return len(claimed) == room

    async def _visit(self, duty: NodeDuty) -> None:
        async with self._places:
            again = await self._looked(duty)
        clock = self._database.clock
        pause_s = pause_until_turn(self._duty + duty.node_uuid, clock.now().timestamp(), again.in_s)
        due = timestamp(clock, after_s=pause_s)
        self._done.append(Outcome(duty, due, again.failures))

    async def _looked(self, duty: NodeDuty) -> Again:
        structlog.contextvars.bind_contextvars(node=duty.node_uuid)  # each look is a task of its own
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._look(duty.node_uuid, duty.failures)
        except NotFound:  # deleted meanwhile, and this row with it
            return Again(self._interval_s)
        except (TimeoutError, Unavailable) as error:
            _log.debug("a node was not looked at", node=duty.node_uuid, duty=self._duty, error=str(error))
        except Exception:  # noqa: BLE001  the top edge of a look
            _log.exception("looking at a node failed unexpectedly", node=duty.node_uuid, duty=self._duty)
        return Again(self._interval_s, duty.failures)

    def _visited(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._freed.set()


def pause_until_turn(key: str, now_s: float, interval_s: float) -> float:
    """Seconds until the next turn of ``key``, half an interval from now at least and one and a half at most.

    Each key has its own moment in every interval, whenever it was looked at last. A fleet that was enrolled
    together, or found overdue together by a process that starts, is spread after one round and stays so.
    """
    turn_s = zlib.crc32(key.encode()) / 2**32 * interval_s
    earliest_s = now_s + interval_s / 2
    return interval_s / 2 + (turn_s - earliest_s) % interval_s if interval_s > 0 else 0.0
