"""Admission: how many operations of each pool may be begun now, whoever else begins some."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy import Float, Text, bindparam, exists, func, literal, literal_column, select

from bessemer.domain.limit import Demand, Limit, free_slots
from bessemer.domain.operation import OperationState
from bessemer.kernel.clock import timestamp
from bessemer.store.conductor import LEASE_S, holds_lease
from bessemer.store.database import Transaction
from bessemer.store.moment import database_moment
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.queue import IS_QUEUED
from bessemer.store.statement import Statement
from bessemer.store.table import CONDUCTORS, OPERATIONS

_COLUMNS = OPERATIONS.c
#: Any number, as long as nothing else of ours takes an advisory lock with it.
_LOCK: Final = 0x6265_7175

_DEMANDS = Statement(
    select(_COLUMNS.pool, _COLUMNS.conductor_group, _COLUMNS.state, func.count())
    .where(
        _COLUMNS.pool != literal_column("''"),
        is_in(_COLUMNS.state, OperationState.QUEUED, *ACTIVE),
    )
    .group_by(_COLUMNS.pool, _COLUMNS.conductor_group, _COLUMNS.state)
)


async def find_slots(
    tx: Transaction, group: str, limits: Mapping[str, Limit], most: int
) -> dict[str, int] | None:
    """How many operations of each pool in ``limits`` a conductor of ``group`` may begin in this transaction,
    ``most`` at most. Exact: until it ends nobody else begins any.

    None: another conductor is just about to begin some; ask again in a moment.
    """
    is_mine = (await tx.execute(_gate(tx.is_postgresql, tuple(limits)), {"group": group})).scalar()
    if is_mine is None:  # nothing is queued that a limit is about
        return dict.fromkeys(limits, 0)
    if not is_mine:
        return None
    demands: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for pool, of_group, state, count in await tx.execute(_DEMANDS):
        demands[pool][of_group][state] = count
    groups = {of_group for of_pool in demands.values() for of_group in of_pool}
    served = await _live_groups(tx) if groups - {group} else {group}
    slots = {}
    for pool, limit in limits.items():
        asked = [
            Demand(
                of_group,
                active=sum(count for state, count in by_state.items() if state in ACTIVE),
                queued=by_state.get(OperationState.QUEUED, 0) if of_group in served else 0,
            )
            for of_group, by_state in demands[pool].items()
        ]
        free = free_slots(limit, asked, group)
        slots[pool] = most if free is None else min(most, free)
    return slots


@lru_cache
def _gate(is_postgresql: bool, pools: tuple[str, ...]) -> Statement:
    """A row when there is something to admit: whether it is ours to do so.

    On SQLite whoever writes is alone. On PostgreSQL a lock that ends with the transaction makes it so. It is
    asked for before anything is counted: a statement does not see what was committed after it began.
    """
    is_mine = func.pg_try_advisory_xact_lock(_LOCK) if is_postgresql else literal_column("1")
    wanted = exists().where(
        _COLUMNS.conductor_group == bindparam("group"), _COLUMNS.pool.in_(pools), IS_QUEUED
    )
    return Statement(select(is_mine).where(wanted))


async def _live_groups(tx: Transaction) -> set[str]:
    """Groups that a conductor serves."""
    values = (
        {} if tx.is_postgresql else {"signed_since": timestamp(tx.clock, after_s=-LEASE_S), "now": tx.now()}
    )
    return set((await tx.execute(_live(tx.is_postgresql), values)).scalars())


@lru_cache
def _live(is_postgresql: bool) -> Statement:
    if is_postgresql:
        now, signed_since = (database_moment(literal(after_s, Float())) for after_s in (0.0, -LEASE_S))
    else:
        now, signed_since = bindparam("now", type_=Text()), bindparam("signed_since", type_=Text())
    return Statement(select(CONDUCTORS.c.conductor_group).distinct().where(holds_lease(now, signed_since)))
