"""Background duties: what is due is claimed by moving its next time, so any number of conductors share it.

A claim needs no owner and no fence: duties look at how things are, and doing one twice does no harm. A
conductor that dies leaves nothing behind; what it had claimed is due again a little later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import (
    Integer,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    literal_column,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bessemer.kernel.clock import Timestamp, timestamp
from bessemer.store.database import Transaction
from bessemer.store.statement import Statement
from bessemer.store.table import DUTIES, NODE_DUTIES, NODES

#: Duties towards every node, from its enrolment on. Whether and how often they are done is a setting.
POWER, HEALTH, SENSORS, HISTORY, EVENTS = "power", "health", "sensors", "history", "events"
EVERY_NODE = (POWER, HEALTH, SENSORS, HISTORY, EVENTS)
#: Those that only a conductor can do that drives the node's hardware.
NEED_DRIVER: Final = frozenset(EVERY_NODE) - {HISTORY}

#: Channel on which it is told that a duty, named by the payload, is due sooner than it was.
HASTENED: Final = "duties"

#: Until the history of a new node is first looked at.
_FIRST_TRIM_S = 3600.0
_DUTY = NODE_DUTIES.c
_ADD = Statement(insert(NODE_DUTIES))
_IS_DUE = and_(
    _DUTY.duty == bindparam("duty_name"),
    _DUTY.conductor_group == bindparam("group"),
    _DUTY.next_due_at <= bindparam("now"),
)
_MOST = bindparam("most", type_=Integer())
_FINISH = (
    update(NODE_DUTIES)
    .where(
        _DUTY.node_uuid == bindparam("node"),
        _DUTY.duty == bindparam("duty_name"),
        # Who was slower than its claim lasted does not move what somebody else has claimed since.
        _DUTY.next_due_at == bindparam("claimed_until"),
    )
    .values(next_due_at=bindparam("due"), failures=bindparam("failed"))
)
#: Both must still be so when foreign keys are checked. A node that is being changed is passed by.
_STEADY = (
    select(NODES.c.uuid, NODES.c.driver)
    .where(NODES.c.uuid == bindparam("node"))
    .with_for_update(read=True, key_share=True, skip_locked=True)
    .subquery("steady")
)
_LEARN = Statement(
    update(NODE_DUTIES)
    .where(_DUTY.node_uuid == _STEADY.c.uuid, _DUTY.duty == bindparam("duty_name"))
    .values(driver=_STEADY.c.driver)
)
_HASTEN = Statement(
    update(NODE_DUTIES)
    .where(
        _DUTY.node_uuid == bindparam("node"),
        _DUTY.duty == bindparam("duty_name"),
        # What is due already need not be written.
        _DUTY.next_due_at > bindparam("now"),
    )
    .values(next_due_at=bindparam("now")),
    is_long=True,  # hundreds of machines may tell of something together
)
_CLAIM_ONE = (
    update(DUTIES)
    .where(DUTIES.c.name == bindparam("duty_name"), DUTIES.c.next_due_at <= bindparam("now"))
    .values(next_due_at=bindparam("due"))
)


@dataclass(frozen=True, slots=True)
class NodeDuty:
    """A node whose duty was claimed. ``failures`` is what the one before left (see ``Outcome``)."""

    node_uuid: str
    failures: int
    claimed_until: Timestamp


@dataclass(frozen=True, slots=True)
class Outcome:
    """When the duty is due again, and how often in a row it has failed."""

    duty: NodeDuty
    next_due_at: Timestamp
    failures: int = 0


async def add_node_duties(tx: Transaction, node_uuid: str, group: str, driver: str) -> None:
    """The duties towards a new node, due at once, but for its history: there is none yet."""
    now, later = tx.now(), timestamp(tx.clock, after_s=_FIRST_TRIM_S)
    rows = [
        {
            "node_uuid": node_uuid,
            "duty": duty,
            "conductor_group": group,
            "next_due_at": later if duty == HISTORY else now,
            "failures": 0,
            "driver": driver if duty in NEED_DRIVER else None,
        }
        for duty in EVERY_NODE
    ]
    await tx.execute(_ADD, rows)


async def claim_node_duties(
    tx: Transaction,
    duty: str,
    group: str,
    *,
    limit: int,
    claimed_until: Timestamp,
    drivers: Sequence[str] | None = None,
) -> list[NodeDuty]:
    """Up to ``limit`` nodes of the conductor group whose ``duty`` is due, the longest overdue first. Nobody
    else gets them before ``claimed_until``. Only of the hardware types ``drivers`` (None: of any), where the
    duty needs one."""
    values = {
        "duty_name": duty,
        "group": group,
        "now": tx.now(),
        "most": limit,
        "claimed_until": claimed_until,
    }
    rows = (await tx.execute(_claim(None if drivers is None else tuple(drivers)), values)).all()
    if duty in NEED_DRIVER:
        unknown = [{"node": row[0], "duty_name": duty} for row in rows if row[2] is None]
        if unknown:  # of a node that the release before has enrolled
            await tx.execute(_LEARN, unknown)
    return [NodeDuty(row[0], row[1], claimed_until) for row in rows]


@lru_cache
def _claim(drivers: tuple[str, ...] | None) -> Statement:
    """Each hardware type is a stretch of the index of its own: what nobody here drives is not even seen."""
    whose = (
        [true()]
        if drivers is None
        else [_DUTY.driver.is_(None), *(_DUTY.driver == literal_column(_quoted(one)) for one in drivers)]
    )
    legs = [
        select(_DUTY.node_uuid, _DUTY.next_due_at)
        .where(_IS_DUE, one)
        .order_by(_DUTY.next_due_at)
        .limit(_MOST)
        for one in whose
    ]
    # Wrapped: SQLite knows no ORDER BY inside the parts of a compound select otherwise.
    every = union_all(*(select(leg.subquery()) for leg in legs)).subquery()
    first = select(every.c.node_uuid).order_by(every.c.next_due_at).limit(_MOST)
    due = (
        select(_DUTY.node_uuid)
        .where(_IS_DUE, _DUTY.node_uuid.in_(first))
        .with_for_update(skip_locked=True, of=NODE_DUTIES)
        .cte("due")
    )
    return Statement(
        update(NODE_DUTIES)
        .where(_DUTY.duty == bindparam("duty_name"), _DUTY.node_uuid.in_(select(due.c.node_uuid)))
        .values(next_due_at=bindparam("claimed_until"))
        .returning(_DUTY.node_uuid, _DUTY.failures, _DUTY.driver)
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def finish_node_duties(tx: Transaction, duty: str, outcomes: Sequence[Outcome]) -> None:
    """Say when each is due again. Nothing happens to those claimed by somebody else meanwhile."""
    if outcomes:
        # In the order of their keys: two conductors never wait for each other's rows crosswise.
        ordered = sorted(outcomes, key=lambda outcome: outcome.duty.node_uuid)
        await tx.execute(
            _FINISH,
            [
                {
                    "node": outcome.duty.node_uuid,
                    "duty_name": duty,
                    "claimed_until": outcome.duty.claimed_until,
                    "due": outcome.next_due_at,
                    "failed": outcome.failures,
                }
                for outcome in ordered
            ],
        )


async def hasten_duty(tx: Transaction, duty: str, *node_uuids: str) -> None:
    """Make the duty towards these nodes due now, and wake who does it. One that is being done is done again
    afterwards."""
    now = tx.now()
    ordered = [{"node": uuid, "duty_name": duty, "now": now} for uuid in sorted(node_uuids)]
    if ordered:
        await tx.execute(_HASTEN, ordered)
        await tx.notify(HASTENED, duty)


async def ensure_node_duties(tx: Transaction, duty: str) -> None:
    """Give the duty to nodes that do not have it: a release that did not know it may have enrolled them.
    Idempotent. Looks at all nodes: for the start of a process."""
    has_it = exists().where(_DUTY.node_uuid == NODES.c.uuid, _DUTY.duty == duty)
    driver = NODES.c.driver if duty in NEED_DRIVER else null()
    lacking = (
        select(NODES.c.uuid, literal(duty), NODES.c.conductor_group, literal(tx.now()), literal(0), driver)
        .where(~has_it)
        # Group, hardware type and the node itself must still be so when foreign keys are checked.
        .with_for_update(read=True, key_share=True, of=NODES)
    )
    columns = ["node_uuid", "duty", "conductor_group", "next_due_at", "failures", "driver"]
    insert_unless = postgresql.insert if tx.is_postgresql else sqlite.insert
    await tx.execute(insert_unless(NODE_DUTIES).from_select(columns, lacking).on_conflict_do_nothing())


async def next_node_duty(tx: Transaction, duty: str, group: str) -> Timestamp | None:
    """When the next node of the group is due; None when there is no node."""
    mine = and_(_DUTY.duty == duty, _DUTY.conductor_group == group)
    found: Timestamp | None = (await tx.execute(select(func.min(_DUTY.next_due_at)).where(mine))).scalar()
    return found


async def ensure_duty(tx: Transaction, name: str) -> None:
    """Make a duty of the whole service known, due now. Idempotent."""
    known = select(DUTIES.c.name).where(DUTIES.c.name == name)
    if (await tx.execute(known)).first() is None:
        # Another process may do the same at the same time; on PostgreSQL neither sees the other yet.
        if tx.is_postgresql:
            from sqlalchemy.dialects.postgresql import insert as insert_unless

            statement = insert_unless(DUTIES).on_conflict_do_nothing()
            await tx.execute(statement, {"name": name, "next_due_at": tx.now()})
        else:
            await tx.execute(insert(DUTIES), {"name": name, "next_due_at": tx.now()})


async def claim_duty(tx: Transaction, name: str, next_due_at: Timestamp) -> bool:
    """Take a duty of the whole service if it is due; it is next due at ``next_due_at``."""
    values = {"duty_name": name, "now": tx.now(), "due": next_due_at}
    return (await tx.execute(_CLAIM_ONE, values)).rowcount == 1


async def get_duty(tx: Transaction, name: str) -> Timestamp | None:
    """When a duty of the whole service is due; None when nobody knows it."""
    due: Timestamp | None = (
        await tx.execute(select(DUTIES.c.next_due_at).where(DUTIES.c.name == name))
    ).scalar()
    return due
