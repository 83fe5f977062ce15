"""The queue: in which order operations are claimed, and where in it one is.

Each conductor group has a queue for each pool (what counts against the same limit). Within a queue every
project, and every priority of a project, is a flow with a right to a share. An operation is given its turn
when it is asked for: a point in the queue's virtual time, one share behind the last of its flow, but never
before the present. The present is the latest turn that was ever claimed. Whoever claims goes by turn.

So flows are served in proportion to their shares while they have something queued, one that had nothing saves
nothing up, and since every new turn lies behind the present by a share at least, each turn comes.
Source: S. J. Golestani, "A self-clocked fair queueing scheme for broadband applications", INFOCOM 1994.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Float, and_, bindparam, func, literal_column, or_, select, union_all

from bessemer.domain.operation import Operation, OperationState
from bessemer.store.database import Transaction
from bessemer.store.statement import Statement
from bessemer.store.table import OPERATIONS

_COLUMNS = OPERATIONS.c
IS_QUEUED = _COLUMNS.state == literal_column(f"'{OperationState.QUEUED.value}'")
_ME = OPERATIONS.alias("me")


class Place(msgspec.Struct, frozen=True):
    """Where a queued operation is.

    ``position`` counts from 1. ``behind`` is the operation of the same node that comes before it, if any:
    whatever the position, it has to end first. ``pool`` names the limit they all wait for, if any.
    """

    position: int
    behind: str | None = None
    pool: str | None = None


def next_turn() -> ColumnElement[float]:
    """The turn of an operation about to be queued, as part of the statement that inserts it.

    Its parameters: ``in_group``, ``in_pool``, ``of_project``, ``with_priority``, and ``share``, by which it
    moves its flow on.
    """
    of_queue = and_(_COLUMNS.conductor_group == bindparam("in_group"), _COLUMNS.pool == bindparam("in_pool"))
    of_flow = and_(
        _COLUMNS.project == bindparam("of_project"), _COLUMNS.priority == bindparam("with_priority")
    )
    present = select(func.max(_COLUMNS.turn).label("turn")).where(of_queue, WAS_CLAIMED)
    last = select(func.max(_COLUMNS.turn).label("turn")).where(of_queue, of_flow, IS_QUEUED)
    latest = union_all(present, last).subquery()
    begin = select(func.coalesce(func.max(latest.c.turn), 0.0)).scalar_subquery()
    return begin + bindparam("share", type_=Float())


#: Written out, as an index over some rows only wants it.
WAS_CLAIMED = _COLUMNS.fence > literal_column("0")


async def find_place(tx: Transaction, operation: Operation) -> Place | None:
    """Where in the queue the operation is; None when it is not queued (any more)."""
    if operation.state is not OperationState.QUEUED:
        return None
    row = (await tx.execute(_PLACE, {"key": operation.uuid})).first()
    if row is None:
        return None
    return Place(position=row[0] + 1, behind=row[1], pool=operation.pool or None)


def _place() -> Statement:
    other = OPERATIONS.alias("other")
    is_before = or_(other.c.turn < _ME.c.turn, and_(other.c.turn == _ME.c.turn, other.c.id < _ME.c.id))
    ahead = (
        select(func.count())
        .select_from(other)
        .where(
            other.c.conductor_group == _ME.c.conductor_group,
            other.c.pool == _ME.c.pool,
            _is_queued(other),
            is_before,
        )
        .scalar_subquery()
    )
    in_the_way = (
        select(other.c.uuid)
        .where(
            _ME.c.is_exclusive,
            other.c.node_uuid == _ME.c.node_uuid,
            other.c.is_exclusive,
            other.c.finished_at.is_(None),
            other.c.id < _ME.c.id,
        )
        .order_by(other.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return Statement(select(ahead, in_the_way).where(_ME.c.uuid == bindparam("key"), _is_queued(_ME)))


def _is_queued(table: Any) -> ColumnElement[bool]:
    return and_(table.c.state == literal_column(f"'{OperationState.QUEUED.value}'"))


_PLACE = _place()
