"""Pruning: how the tables that would grow for ever are kept bounded."""

from collections.abc import Awaitable, Callable

from bessemer.engine.reconcile.chore import Chore
from bessemer.engine.reconcile.sweep import Again, Look
from bessemer.kernel.clock import Timestamp, timestamp
from bessemer.store.audit import PRUNE_BATCH, add_host_event, get_anchor, prune_chain
from bessemer.store.database import Database, Transaction
from bessemer.store.event import trim_history
from bessemer.store.prune import prune_conductors, prune_events, prune_operations

#: Rows deleted by one transaction: others want to write too.
BATCH = 500
_DAY_S = 86400.0

Prune = Callable[[Transaction, Timestamp, int], Awaitable[int]]


def prune_chores(
    database: Database, *, operation_days: float, event_days: float, conductor_days: float, interval_s: float
) -> list[Chore]:
    """What goes after how many days (0: never): operations (since they ended, with their journals), events
    that are in no node's history, conductors nobody has heard of."""

    async def operations() -> int:
        return await prune_all(database, prune_operations, older_than_s=operation_days * _DAY_S)

    async def events() -> int:
        return await prune_all(database, prune_events, older_than_s=event_days * _DAY_S)

    async def conductors() -> int:
        async with database.write() as tx:
            return await prune_conductors(tx, timestamp(tx.clock, after_s=-conductor_days * _DAY_S))

    kept = (
        (operation_days, Chore("prune operations", interval_s, operations)),
        (event_days, Chore("prune events", interval_s, events)),
        (conductor_days, Chore("prune conductors", interval_s, conductors)),
    )
    return [chore for days, chore in kept if days > 0]


async def prune_all(database: Database, prune: Prune, *, older_than_s: float) -> int:
    """Prune batch after batch until nothing is old enough; how many rows it was."""
    count = 0
    while True:
        async with database.write() as tx:
            gone = await prune(tx, timestamp(tx.clock, after_s=-older_than_s), BATCH)
        count += gone
        if gone < BATCH:
            return count


def audit_chore(
    database: Database, *, keep_days: float, interval_s: float, command: str, user: str | None = None
) -> Chore:
    """Keeps the audit trail bounded. ``command`` and ``user`` are who it says has done so."""

    async def trail() -> int:
        return await prune_trail(database, keep_days=keep_days, command=command, user=user)

    return Chore("prune audit trail", interval_s, trail)


async def prune_trail(
    database: Database, *, keep_days: float, command: str, user: str | None, batch: int = PRUNE_BATCH
) -> int:
    """Cut off events older than ``keep_days``; how many it was. Each batch leaves an event that says so."""
    count = 0
    while True:
        async with database.write() as tx:
            gone = await prune_chain(tx, timestamp(tx.clock, after_s=-keep_days * _DAY_S), batch)
            if gone:
                anchor, detail = (
                    await get_anchor(tx),
                    f"{gone} events deleted that were older than {keep_days:g} days",
                )
                await add_host_event(
                    tx, command, user=user, resource_type="audit", resource=str(anchor), detail=detail
                )
        count += gone
        if gone < batch:
            return count


def history_look(database: Database, *, keep: int, minimum_days: float, interval_s: float) -> Look:
    """Takes all but the newest ``keep`` events out of a node's history, but none younger than
    ``minimum_days``."""

    async def look(node_uuid: str, _failures: int) -> Again:
        async with database.write() as tx:
            before = timestamp(tx.clock, after_s=-minimum_days * _DAY_S)
            await trim_history(tx, node_uuid, keep, before=before)
        return Again(interval_s)

    return look
