"""Chores: duties of the whole service, each done by whichever conductor is first when it is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import Unavailable
from bessemer.store.database import Database
from bessemer.store.duty import claim_duty, ensure_duty

_log = structlog.get_logger()

#: Between looks whether a chore is due.
LOOK_S = 10.0


@dataclass(frozen=True, slots=True)
class Chore:
    """``run`` is done every ``interval_s`` seconds, somewhere. It says how much it found to do, for the log,
    and must be harmless when it is cut short or done twice at a time."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[int]]


class Chores:
    """One per process."""

    def __init__(self, database: Database, chores: Sequence[Chore]) -> None:
        self._database = database
        self._chores = chores

    async def run(self, *, look_s: float = LOOK_S) -> None:
        """Do what is due until cancelled."""
        is_known = False
        while True:
            try:
                if not is_known:
                    await self._make_known()
                    is_known = True
                for chore in self._chores:
                    await self._do_if_due(chore)
            except Unavailable as error:
                _log.debug("chores wait for the database", error=str(error))
            await asyncio.sleep(look_s)

    async def _make_known(self) -> None:
        for chore in self._chores:
            async with self._database.write() as tx:
                await ensure_duty(tx, chore.name)

    async def _do_if_due(self, chore: Chore) -> None:
        async with self._database.write() as tx:
            is_ours = await claim_duty(tx, chore.name, timestamp(tx.clock, after_s=chore.interval_s))
        if not is_ours:
            return
        try:
            done = await chore.run()
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  the top edge of a chore
            _log.exception("a chore failed; it is tried again when it is due", chore=chore.name)
            return
        if done:
            _log.info("a chore is done", chore=chore.name, count=done)
