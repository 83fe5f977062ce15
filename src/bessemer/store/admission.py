"""Admission: how many operations of each pool may be begun now, whoever else begins some."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, exists, func, literal_column, select

from bessemer.domain.limit import Demand, Limit, free_slots
from bessemer.domain.operation import OperationState
from bessemer.store.database import Transaction
from bessemer.store.mixed_group import count_servable
from bessemer.store.operation import ACTIVE, is_in
from bessemer.store.queue import IS_QUEUED
from bessemer.store.statement import Statement
from bessemer.store.table import OPERATIONS

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
    served = await count_servable(tx) if groups - {group} else None
    slots = {}
    for pool, limit in limits.items():
        asked = [
            Demand(
                of_group,
                active=sum(count for state, count in by_state.items() if state in ACTIVE),
                queued=_wanted(served, pool, of_group, by_state),
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


def _wanted(
    served: Mapping[tuple[str, str], int] | None, pool: str, group: str, by_state: Mapping[str, int]
) -> int:
    """What is queued in a group; of other groups than the asking one, what somebody is there for."""
    if served is None:
        return by_state.get(OperationState.QUEUED, 0)
    return served.get((pool, group), 0)
