"""Mixed groups: conductors of one group that drive different hardware share its queue and its slots.

What waits for hardware that no living conductor of its group drives has a claim to nothing. And a slot goes
to whose turn it is: a conductor that is quick, because it is the one that has just ended something, would
otherwise take each slot again for what it drives itself, and others would never begin anything.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Float, Integer, Text, bindparam, func, literal, literal_column, select

from bessemer.domain.operation import OperationState
from bessemer.kernel.clock import timestamp
from bessemer.store.claim import is_next
from bessemer.store.conductor import LEASE_S, holds_lease
from bessemer.store.database import Transaction
from bessemer.store.moment import database_moment
from bessemer.store.operation import is_in
from bessemer.store.record import decode_json
from bessemer.store.statement import Statement
from bessemer.store.table import CONDUCTORS, NODES, OPERATIONS

_COLUMNS = OPERATIONS.c
_QUEUED = Statement(
    select(_COLUMNS.pool, _COLUMNS.conductor_group, NODES.c.driver, func.count())
    .join(NODES, NODES.c.uuid == _COLUMNS.node_uuid)
    .where(_COLUMNS.pool != literal_column("''"), is_in(_COLUMNS.state, OperationState.QUEUED))
    .group_by(_COLUMNS.pool, _COLUMNS.conductor_group, NODES.c.driver)
)
_FIRST = Statement(
    select(NODES.c.driver)
    .select_from(OPERATIONS.join(NODES, NODES.c.uuid == _COLUMNS.node_uuid))
    .where(
        _COLUMNS.conductor_group == bindparam("group"),
        _COLUMNS.pool == bindparam("of_pool"),
        is_next(),
    )
    .order_by(_COLUMNS.turn, _COLUMNS.id)
    .limit(bindparam("most", type_=Integer()))
)
#: How far down the queue it is looked for whose turn it is.
_DEPTH = 200


async def count_servable(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many operations are queued, by pool and conductor group, that some living conductor of the group
    drives the hardware for."""
    living = await _drivers_by_group(tx)
    found: dict[tuple[str, str], int] = defaultdict(int)
    for pool, group, driver, count in await tx.execute(_QUEUED):
        if group in living and _drives(living[group], driver):
            found[pool, group] += count
    return dict(found)


async def leave_turns(
    tx: Transaction, group: str, slots: Mapping[str, int], drivers: Sequence[str], room: int
) -> dict[str, int]:
    """What is left of ``slots`` (by pool) for a conductor that drives ``drivers`` when each goes to whose
    turn it is, whoever of the group drives that. Where there are ``room`` slots there is enough for all."""
    scarce = [pool for pool, count in slots.items() if 0 < count < room]
    if not scarce:
        return dict(slots)
    living = (await _drivers_by_group(tx)).get(group, [])
    if all(one is not None and one <= set(drivers) for one in living):
        return dict(slots)
    left = dict(slots)
    for pool in scarce:
        values = {"group": group, "of_pool": pool, "most": _DEPTH}
        first = [row[0] for row in await tx.execute(_FIRST, values) if _drives(living, row[0])]
        left[pool] = sum(driver in drivers for driver in first[: slots[pool]])
    return left


def _drives(living: Sequence[frozenset[str] | None], driver: str) -> bool:
    return any(one is None or driver in one for one in living)


async def _drivers_by_group(tx: Transaction) -> dict[str, list[frozenset[str] | None]]:
    """The hardware types of each living conductor, by its group; None: any."""
    values = (
        {} if tx.is_postgresql else {"signed_since": timestamp(tx.clock, after_s=-LEASE_S), "now": tx.now()}
    )
    found: dict[str, list[frozenset[str] | None]] = defaultdict(list)
    for group, drivers in await tx.execute(_living(tx.is_postgresql), values):
        found[group].append(frozenset(decode_json(drivers)) or None)
    return dict(found)


@lru_cache
def _living(is_postgresql: bool) -> Statement:
    if is_postgresql:
        now, signed_since = (database_moment(literal(after_s, Float())) for after_s in (0.0, -LEASE_S))
    else:
        now, signed_since = bindparam("now", type_=Text()), bindparam("signed_since", type_=Text())
    return Statement(
        select(CONDUCTORS.c.conductor_group, CONDUCTORS.c.drivers).where(holds_lease(now, signed_since))
    )
