"""Pruning: taking away what is old, a bounded number of rows at a time, so that nobody waits for it."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, delete, exists, literal, select

from bessemer.kernel.clock import Timestamp
from bessemer.store.conductor import holds_lease
from bessemer.store.database import Transaction
from bessemer.store.moment import shared_now
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.table import CONDUCTORS, EVENTS, OPERATIONS


async def prune_operations(tx: Transaction, before: Timestamp, limit: int) -> int:
    """Delete up to ``limit`` operations that ended before a moment, with their journals; how many it was."""
    return await _prune(tx, OPERATIONS, OPERATIONS.c.finished_at, OPERATIONS.c.finished_at < before, limit)


async def prune_events(tx: Transaction, before: Timestamp, limit: int) -> int:
    """Delete up to ``limit`` events older than a moment that are in no node's history; how many it was."""
    is_old = and_(~EVENTS.c.in_history, EVENTS.c.created_at < before)
    return await _prune(tx, EVENTS, EVENTS.c.created_at, is_old, limit)


async def prune_conductors(tx: Transaction, before: Timestamp) -> int:
    """Forget conductors that gave no sign of life since a moment, without a lease, that hold nothing; how
    many there were."""
    holds = exists().where(OPERATIONS.c.owner == CONDUCTORS.c.incarnation, is_in(OPERATIONS.c.state, *ACTIVE))
    has_lease = holds_lease(shared_now(tx), literal(before))
    unheard = (CONDUCTORS.c.updated_at < before, ~holds, ~has_lease)
    return (await tx.execute(delete(CONDUCTORS).where(*unheard))).rowcount


async def _prune(
    tx: Transaction, table: Table, age: Column[Any], is_old: ColumnElement[bool], limit: int
) -> int:
    oldest = select(table.c.id).where(is_old).order_by(age).limit(limit)
    return (await tx.execute(delete(table).where(table.c.id.in_(oldest)))).rowcount
