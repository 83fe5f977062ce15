"""Farewells: subscriptions at BMCs whose nodes are gone, or no longer want them, are taken away."""

import asyncio
from contextlib import suppress

import structlog

from bessemer.domain.event_subscription import EventSubscription
from bessemer.engine.reconcile.chore import Chore
from bessemer.hardware.interface import EventSource
from bessemer.hardware.urgency import sweeping
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, Unavailable
from bessemer.store.database import Database
from bessemer.store.event_subscription import (
    claim_left_subscriptions,
    delete_subscription,
    is_subscribed,
    leave_subscriptions,
    prune_left_subscriptions,
    update_subscription,
)

_log = structlog.get_logger()

#: Between looks, in seconds; subscriptions taken up at each; longest that one may take.
LOOK_S = 5.0
_BATCH = 20
_LIMIT_S = 60.0
#: Tries in vain before a BMC is left with a subscription that nobody answers: about a day of them.
_MOST_FAILURES = 30
#: Answers that mean: this account is not let in. Trying again locks it out at some BMCs.
_NO_ENTRY = (401, 403)
_BACKOFF = Backoff(first_s=10.0, most_s=3600.0)
#: What nobody has tried for so long is of a group without conductors.
_ABANDONED_S, _PRUNE_S = 7 * 86400.0, 86400.0


def farewell_chore(database: Database) -> Chore:
    """Forgets subscriptions that no conductor is there to take away."""

    async def run() -> int:
        async with database.write() as tx:
            return await prune_left_subscriptions(tx, timestamp(tx.clock, after_s=-_ABANDONED_S))

    return Chore("prune subscriptions", _PRUNE_S, run)


class Farewells:
    """Of one conductor group. What is claimed and not done is due again later, for whoever looks."""

    def __init__(self, database: Database, source: EventSource, group: str) -> None:
        self._database = database
        self._source = source
        self._group = group

    async def run(self, *, look_s: float = LOOK_S) -> None:
        """Take away what is left until cancelled."""
        while True:
            count = 0
            with suppress(Unavailable):
                count = await self.take_away()
            if count < _BATCH:
                await asyncio.sleep(look_s)

    async def leave_all(self) -> None:
        """Nobody of this group wants events any more."""
        async with self._database.write() as tx:
            count = await leave_subscriptions(tx, self._group)
        if count:
            _log.info("subscriptions to events are taken away", count=count)

    async def take_away(self) -> int:
        """Try those that are due; how many they were. Raises Unavailable when the database is gone."""
        async with self._database.write() as tx:
            until = timestamp(tx.clock, after_s=2 * _LIMIT_S)
            left = await claim_left_subscriptions(tx, self._group, limit=_BATCH, claimed_until=until)
        await asyncio.gather(*(self._visit(one) for one in left))
        return len(left)

    async def _visit(self, one: EventSubscription) -> None:
        try:
            await self._take_away(one)
        except Unavailable as error:  # due again when the claim ends
            _log.debug("a subscription was not taken away", path=one.path, error=str(error))
        except Exception:  # noqa: BLE001  the top edge of a farewell
            _log.exception("taking a subscription away failed unexpectedly", path=one.path)

    async def _take_away(self, one: EventSubscription) -> None:
        async with self._database.read() as tx:
            is_wanted = await is_subscribed(tx, one.context)
        if is_wanted:  # the node has come back to this BMC
            await self._forget(one)
            return
        try:
            with sweeping():
                async with asyncio.timeout(_LIMIT_S):
                    await self._source.unsubscribe(one.access, one.path, one.context)
        except Unavailable:
            raise
        except (BessemerError, TimeoutError) as error:
            if getattr(error, "status", 0) in _NO_ENTRY:
                _log.warning("a subscription stays at a BMC that lets us in no more", path=one.path)
                await self._forget(one)
            else:
                await self._put_off(one, str(error))
            return
        await self._forget(one)

    async def _forget(self, one: EventSubscription) -> None:
        async with self._database.write() as tx:
            await delete_subscription(tx, one.uuid)

    async def _put_off(self, one: EventSubscription, reason: str) -> None:
        failures = one.failures + 1
        async with self._database.write() as tx:
            if failures >= _MOST_FAILURES:
                await delete_subscription(tx, one.uuid)
            else:
                due = timestamp(tx.clock, after_s=_BACKOFF.delay_s(failures))
                await update_subscription(tx, one.uuid, next_due_at=due, failures=failures)
        if failures >= _MOST_FAILURES:
            _log.warning("a subscription stays at a BMC that does not answer", path=one.path, reason=reason)
