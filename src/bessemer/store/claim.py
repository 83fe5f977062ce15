"""Claiming: how a conductor takes operations, keeps them, and gives them back.

An operation is held by writing the conductor's incarnation and a higher fence into it. Every later write
names that fence, so whoever lost an operation can no longer change it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias

import structlog
from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from bessemer.domain.operation import Operation, OperationError, OperationState
from bessemer.kernel.clock import Timestamp, timestamp
from bessemer.kernel.error import Conflict
from bessemer.kernel.seal import SealBroken, UnknownKey
from bessemer.store.conductor import LEASE_S, holds_lease
from bessemer.store.database import Transaction
from bessemer.store.key import list_key_names
from bessemer.store.moment import database_moment
from bessemer.store.operation import ACTIVE, OPERATION, is_in
from bessemer.store.record import encode_json
from bessemer.store.statement import Statement
from bessemer.store.table import CONDUCTORS, NODES, OPERATIONS

log = structlog.get_logger(__name__)

_COLUMNS = OPERATIONS.c
_IS_ACTIVE = is_in(_COLUMNS.state, *ACTIVE)
_MOST = bindparam("most", type_=Integer())

#: Where operations come from: which they are, in what order, how many at most.
_Source: TypeAlias = tuple[ColumnElement[bool], tuple[ColumnElement[Any], ...], ColumnElement[int]]

#: So many processes may be lost under one step; then it is the step that is thought to kill them. Fewer would
#: condemn the innocent where processes are lost every few seconds for reasons of their own.
MOST_DEATHS = 8

#: An operation's documents with nothing in them.
_EMPTY = {"args": "{}", "data": "{}", "plan": "[]", "result": None}


class _Scope(NamedTuple):
    """What a conductor can carry out: kinds and versions of operations, and hardware types (None: any)."""

    kinds: tuple[tuple[str, int], ...]
    drivers: tuple[str, ...] | None

    @classmethod
    def of(cls, kinds: Sequence[tuple[str, int]], drivers: Sequence[str] | None) -> Self:
        return cls(tuple(kinds), None if drivers is None else tuple(drivers))


async def claim_operations(
    tx: Transaction,
    *,
    owner: str,
    group: str,
    kinds: Sequence[tuple[str, int]],
    limit: int,
    slots: Mapping[str, int] = MappingProxyType({}),
    lead: int = 0,
    most_deaths: int = MOST_DEATHS,
    is_suspect_welcome: bool = True,
    drivers: Sequence[str] | None = None,
) -> list[Operation]:
    """Take up to ``limit`` operations that somebody has to work on now.

    These are: queued ones by their turn, each the first of a node that no exclusive operation works on;
    waiting ones whose time has come; and running or waiting ones that nobody holds or whose holder's lease is
    over. Only of this conductor group, only kinds and versions given, and only of nodes of the hardware types
    ``drivers`` (None: of any).

    ``slots``: how many may be begun of each pool (see admission.py); of pools that are not there none is, and
    of those without a pool any number. Each of these sources gives one in turn. Where ``limit`` does not
    suffice for all of them, ``lead`` says which comes first: count it up, and none is left out for ever.

    Taking an operation from a holder that was lost counts its ``deaths``. One that could be the last of
    ``most_deaths`` is a suspect: it comes alone, and only where ``is_suspect_welcome``, so that if it does
    kill the process again no other operation comes under suspicion with it.

    One that nobody will ever be able to open fails.

    Raises:
        Conflict: Another conductor was quicker; try again.
        UnknownKey: The keys at hand are not all that the database is sealed with.
    """
    if not kinds:
        return []
    values = {
        "me": owner,
        "group": group,
        "now": tx.now(),
        "most": limit,
        "suspects": min(limit, 1) if is_suspect_welcome else 0,
        "suspect_from": most_deaths - 1,
    }
    pools = ("", *sorted(slots))
    values |= {f"slots_{n}": min(limit, slots.get(pool, limit)) for n, pool in enumerate(pools)}
    sources = len(pools) + 3
    values |= {f"rank_{n}": (n - lead) % sources for n in range(sources)}
    if not tx.is_postgresql:
        values["signed_since"] = timestamp(tx.clock, after_s=-LEASE_S)
    statement = _claim(_Scope.of(kinds, drivers), pools, tx.is_postgresql)
    try:
        rows = (await tx.execute(statement, values)).all()
    except IntegrityError as error:
        # Two queued operations of one node, each first in the eyes of one conductor for a moment.
        raise Conflict("Another conductor claimed an operation of the same node.") from error
    operations = []
    for row in rows:
        try:
            operations.append(OPERATION.to_record(tx, row))
        except SealBroken as error:
            await _give_up(tx, dict(zip(OPERATION.fields, row, strict=True)), error)
    return sorted(operations, key=lambda operation: operation.uuid)


async def _give_up(tx: Transaction, row: Mapping[str, Any], error: SealBroken) -> None:
    """Let an operation fail that does not open, or it would stop every conductor in turn. Its documents are
    emptied: nobody could read it otherwise, nor any list that it is in."""
    if isinstance(error, UnknownKey) and not {*await list_key_names(tx)} <= {*tx.vault.keys.ids}:
        raise error
    log.error("an operation fails: it cannot be opened", operation=row["uuid"], node=row["node_uuid"])
    told = OperationError(code=error.code, fault=error.fault, message=error.message, hint=error.hint)
    ended = {
        "state": OperationState.FAILED,
        "owner": None,
        "wake_at": None,
        "wait_for": None,
        "finished_at": tx.now(),
        "error": encode_json(told),
        **_EMPTY,
    }
    await tx.execute(update(OPERATIONS).where(_COLUMNS.uuid == row["uuid"]).values(ended))
    if row["is_exclusive"]:
        await tx.execute(update(NODES).where(NODES.c.uuid == row["node_uuid"]).values(reservation=None))


@lru_cache
def _claim(scope: _Scope, pools: tuple[str, ...], is_postgresql: bool) -> Statement:
    """Made once: building and compiling it costs more than the database takes for it."""
    is_abandoned = _is_abandoned(is_postgresql)
    is_suspect = _deaths_when_taken() >= bindparam("suspect_from", type_=Integer())
    queues: list[_Source] = [
        (
            and_(_COLUMNS.pool == literal_column(_quoted(pool)), is_next()),
            (_COLUMNS.turn, _COLUMNS.id),
            bindparam(f"slots_{n}", type_=Integer()),
        )
        for n, pool in enumerate(pools)
    ]
    begun: list[_Source] = [
        (_is_due(), (_COLUMNS.wake_at,), _MOST),
        (and_(is_abandoned, ~is_suspect), (_COLUMNS.id,), _MOST),
        (and_(is_abandoned, is_suspect), (_COLUMNS.id,), bindparam("suspects", type_=Integer())),
    ]
    legs = [_leg(n, _is_ours(scope), source) for n, source in enumerate([*queues, *begun])]
    found = union_all(*legs).subquery()
    # Joined by fence and state, PostgreSQL looks at both again once it has the lock: a row that somebody
    # else took after our snapshot falls out here.
    taken = (
        select(_COLUMNS.id)
        .join(found, and_(_COLUMNS.id == found.c.id, _COLUMNS.fence == found.c.fence))
        .where(_COLUMNS.state == found.c.state)
        .order_by(found.c.place, found.c.rank)
        .limit(_MOST)
        .with_for_update(skip_locked=True, of=OPERATIONS)
        .cte("taken")
    )
    return Statement(
        update(OPERATIONS)
        .where(_COLUMNS.id.in_(select(taken.c.id)))
        .values(
            owner=bindparam("me"),
            fence=_COLUMNS.fence + 1,
            deaths=_deaths_when_taken(),
            state=case(
                (_COLUMNS.state == OperationState.QUEUED, literal(OperationState.RUNNING.value)),
                else_=_COLUMNS.state,
            ),
        )
        .returning(*OPERATION.columns)
    )


def _leg(number: int, is_ours: ColumnElement[bool], source: _Source) -> Select[Any]:
    """What one source offers, each with its place there and the rank of the source."""
    wanted, order, most = source
    keys = [column.label(f"key_{n}") for n, column in enumerate(order)]
    offered = (
        select(_COLUMNS.id, _COLUMNS.fence, _COLUMNS.state, *keys)
        .where(is_ours, wanted)
        .order_by(*order)
        .limit(most)
        .subquery()
    )
    place = func.row_number().over(order_by=[offered.c[key.name] for key in keys])
    rank = bindparam(f"rank_{number}", type_=Integer())
    columns = (offered.c.id, offered.c.fence, offered.c.state)
    # Wrapped: SQLite knows no ORDER BY inside the parts of a compound select otherwise.
    return select(*columns, place.label("place"), rank.label("rank"))


def _quoted(text: str) -> str:
    """A name from the program, written out for the planner."""
    return "'" + text.replace("'", "''") + "'"


async def next_wake(
    tx: Transaction,
    group: str,
    kinds: Sequence[tuple[str, int]],
    after: Timestamp,
    *,
    drivers: Sequence[str] | None = None,
) -> Timestamp | None:
    """When the next sleeping operation wakes that ``claim_operations`` would take, later than ``after``."""
    values = {"group": group, "after": after}
    statement = _next_wake(_Scope.of(kinds, drivers))
    found: Timestamp | None = (await tx.execute(statement, values)).scalar()
    return found


@lru_cache
def _next_wake(scope: _Scope) -> Statement:
    return Statement(
        select(func.min(_COLUMNS.wake_at)).where(
            is_in(_COLUMNS.state, OperationState.WAITING),
            _COLUMNS.owner.is_(None),
            _COLUMNS.wake_at > bindparam("after"),
            _is_ours(scope),
        )
    )


async def list_held(tx: Transaction, owner: str) -> dict[str, tuple[int, str | None]]:
    """What ``owner`` holds: fence and cancel reason by operation."""
    statement = select(_COLUMNS.uuid, _COLUMNS.fence, _COLUMNS.cancel_reason).where(
        _COLUMNS.owner == owner, _IS_ACTIVE
    )
    return {row[0]: (row[1], row[2]) for row in await tx.execute(statement)}


async def list_fences(tx: Transaction, uuids: Sequence[str]) -> dict[str, int]:
    """The present fence of each of these operations that still exists."""
    statement = select(_COLUMNS.uuid, _COLUMNS.fence).where(_COLUMNS.uuid.in_(uuids))
    return {row[0]: row[1] for row in await tx.execute(statement)}


async def release_operations(tx: Transaction, owner: str, uuids: Sequence[str] | None = None) -> int:
    """Let go of what ``owner`` holds (or of ``uuids`` among it), so that anybody can claim it at once."""
    wanted: list[ColumnElement[bool]] = [_COLUMNS.owner == owner, _IS_ACTIVE]
    if uuids is not None:
        wanted.append(_COLUMNS.uuid.in_(uuids))
    # A held operation that is still called waiting has been woken: it is due whatever it waited for.
    values: dict[str, Any] = {
        "owner": None,
        "wake_at": case((_COLUMNS.state == OperationState.WAITING, tx.now()), else_=_COLUMNS.wake_at),
    }
    return (await tx.execute(update(OPERATIONS).where(*wanted).values(values))).rowcount


def is_next() -> ColumnElement[bool]:
    """The condition that an operation is queued, and nothing of its node has to end first."""
    other = OPERATIONS.alias("other")
    in_the_way: Select[Any] = select(other.c.id).where(
        other.c.node_uuid == _COLUMNS.node_uuid,
        other.c.is_exclusive,
        or_(
            is_in(other.c.state, *ACTIVE),
            and_(is_in(other.c.state, OperationState.QUEUED), other.c.id < _COLUMNS.id),
        ),
    )
    return and_(
        is_in(_COLUMNS.state, OperationState.QUEUED),
        or_(~_COLUMNS.is_exclusive, ~in_the_way.exists()),
    )


def _is_ours(scope: _Scope) -> ColumnElement[bool]:
    """Of the group of the conductor that asks, and within its scope."""
    conditions = [
        _COLUMNS.conductor_group == bindparam("group"),
        tuple_(_COLUMNS.kind, _COLUMNS.version).in_(list(scope.kinds)),
    ]
    if scope.drivers is not None:
        # Of the node as it is now: its driver may change while work on it is queued.
        node = select(NODES.c.id).where(NODES.c.uuid == _COLUMNS.node_uuid, NODES.c.driver.in_(scope.drivers))
        conditions.append(node.exists())
    return and_(*conditions)


def _is_due() -> ColumnElement[bool]:
    return and_(
        is_in(_COLUMNS.state, OperationState.WAITING),
        _COLUMNS.owner.is_(None),
        _COLUMNS.wake_at <= bindparam("now"),
    )


def _deaths_when_taken() -> ColumnElement[int]:
    is_lost = and_(_COLUMNS.owner.is_not(None), _COLUMNS.owner != bindparam("me"))
    return _COLUMNS.deaths + case((is_lost, 1), else_=0)


def _is_abandoned(is_postgresql: bool) -> ColumnElement[bool]:
    if is_postgresql:
        now, signed_since = (database_moment(literal(after_s, Float())) for after_s in (0.0, -LEASE_S))
    else:
        now, signed_since = bindparam("now", type_=Text()), bindparam("signed_since", type_=Text())
    alive = select(CONDUCTORS.c.incarnation).where(holds_lease(now, signed_since))
    is_released = and_(is_in(_COLUMNS.state, OperationState.RUNNING), _COLUMNS.owner.is_(None))
    is_lost = and_(
        _COLUMNS.owner.is_not(None), _COLUMNS.owner != bindparam("me"), _COLUMNS.owner.not_in(alive)
    )
    return and_(_IS_ACTIVE, or_(is_released, is_lost))
