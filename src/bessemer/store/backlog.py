"""What is open in the whole service, in numbers that cost little to ask for."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bessemer.domain.operation import OperationState
from bessemer.kernel.clock import Timestamp
from bessemer.store.conductor import list_conductors
from bessemer.store.database import Transaction
from bessemer.store.moment import shared_now
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.queue import IS_QUEUED
from bessemer.store.statement import Statement
from bessemer.store.table import OPERATIONS

_COLUMNS = OPERATIONS.c
# Two statements, as each goes by an index over the rows it is about.
_KEYS = (_COLUMNS.kind, _COLUMNS.state)
_ACTIVE_COUNTS = Statement(
    select(*_KEYS, func.count()).where(is_in(_COLUMNS.state, *ACTIVE)).group_by(*_KEYS)
)
_QUEUED = Statement(
    select(_COLUMNS.kind, _COLUMNS.pool, func.count(), func.min(_COLUMNS.created_at))
    .where(IS_QUEUED)
    .group_by(_COLUMNS.kind, _COLUMNS.pool)
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """``counts`` are operations that are not over by kind and state, ``oldest`` since when the one is queued
    that has been so for longest, by pool; ``conductors`` those that hold a lease."""

    now: Timestamp
    counts: list[tuple[str, str, int]]
    oldest: dict[str, Timestamp]
    conductors: int


async def read_backlog(tx: Transaction) -> Backlog:
    counts: list[tuple[str, str, int]] = [
        (row[0], row[1], row[2]) for row in await tx.execute(_ACTIVE_COUNTS)
    ]
    oldest: dict[str, Timestamp] = {}
    queued: dict[str, int] = {}
    for kind, pool, count, since in await tx.execute(_QUEUED):
        queued[kind] = queued.get(kind, 0) + count
        oldest[pool] = min(since, oldest.get(pool, since))
    counts += [(kind, OperationState.QUEUED.value, count) for kind, count in queued.items()]
    now: Timestamp = (await tx.execute(select(shared_now(tx)))).scalar_one()
    conductors = await list_conductors(tx)
    alive = [one for one in conductors if one.is_online and (one.lease_until or one.updated_at) > now]
    return Backlog(now=now, counts=counts, oldest=oldest, conductors=len(alive))
