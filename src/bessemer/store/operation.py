"""Operations: ask for them, look at them, and change them under the guard of their fence."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, bindparam, case, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.limit import Priority
from bessemer.domain.node import SECRET_KEYS
from bessemer.domain.operation import (
    NewOperation,
    Operation,
    OperationError,
    OperationState,
    Phase,
    PlanItem,
)  # fmt: skip
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import FenceLost, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Transaction
from bessemer.store.node import NODE
from bessemer.store.page import Page, read_page
from bessemer.store.queue import next_turn
from bessemer.store.record import decode_json, storable
from bessemer.store.sealed import SealedMapper
from bessemer.store.statement import Statement
from bessemer.store.table import NODES, OPERATIONS

#: More signals than will ever come.
_EVERY_SIGNAL = 2**31 - 1

#: An operation may carry whatever a node has.
_SECRET_KEYS = frozenset[str]().union(*SECRET_KEYS.values())

ACTIVE = (OperationState.RUNNING, OperationState.WAITING)


def is_in(column: ColumnElement[str], *states: OperationState) -> ColumnElement[bool]:
    """The condition that a state is one of these, written out in the statement: an index over some rows only
    serves no query whose states are parameters."""
    written: list[ColumnElement[str]] = [literal_column(f"'{state.value}'") for state in states]
    return column.in_(written) if len(written) > 1 else column == written[0]


OPERATION = SealedMapper(
    Operation,
    OPERATIONS,
    json_fields=("args", "data", "plan", "result", "error"),
    secrets=dict.fromkeys(("args", "data", "plan", "result"), _SECRET_KEYS),
    decoders={
        "state": OperationState,
        "phase": Phase,
        "priority": Priority,
        "plan": msgspec.json.Decoder(tuple[PlanItem, ...]).decode,
        "error": msgspec.json.Decoder(OperationError).decode,
        "result": decode_json,
    },
)
_COLUMNS = OPERATIONS.c
_BY_UUID = Statement(OPERATION.select().where(_COLUMNS.uuid == bindparam("key")))
_ACTIVE_OF_NODE = Statement(
    OPERATION.select()
    .where(
        _COLUMNS.node_uuid == bindparam("key"),
        _COLUMNS.is_exclusive,
        is_in(_COLUMNS.state, *ACTIVE, OperationState.QUEUED),
    )
    .order_by(case((_COLUMNS.state == OperationState.QUEUED, 1), else_=0), _COLUMNS.id)
    .limit(1)
)
# The node first, then the operation: the order every writer keeps (see database.py).
_GUARD = Statement(
    select(_COLUMNS.cancel_reason, *NODE.columns)
    .select_from(NODES.join(OPERATIONS, NODES.c.uuid == _COLUMNS.node_uuid))
    .where(_COLUMNS.uuid == bindparam("key"), _COLUMNS.fence == bindparam("fence"))
    .with_for_update(key_share=True, of=[NODES, OPERATIONS])
)
_UUID_OF_NODE = 1 + NODE.fields.index("uuid")
_LOCK = Statement(
    OPERATION.select()
    .select_from(NODES.join(OPERATIONS, NODES.c.uuid == _COLUMNS.node_uuid))
    .where(_COLUMNS.uuid == bindparam("key"))
    .with_for_update(key_share=True, of=[NODES, OPERATIONS])
)
# What these two set comes with the parameters: the statements are compiled once per set of fields.
_HELD = update(OPERATIONS).where(_COLUMNS.uuid == bindparam("key"), _COLUMNS.fence == bindparam("held"))
_CHANGE = Statement(_HELD)
_SLEEP = Statement(
    _HELD.values(
        wake_at=case((_COLUMNS.signals > bindparam("seen"), bindparam("now")), else_=bindparam("then"))
    ).returning(_COLUMNS.wake_at)
)
_INSERT = Statement(insert(OPERATIONS).values(turn=next_turn()))
_SIGNAL = Statement(
    update(OPERATIONS)
    .where(_COLUMNS.node_uuid == bindparam("node"), is_in(_COLUMNS.state, *ACTIVE))
    .values(
        signals=_COLUMNS.signals + 1,
        wake_at=case((_COLUMNS.wait_for == bindparam("signal"), bindparam("now")), else_=_COLUMNS.wake_at),
    )
)


async def enqueue(
    tx: Transaction, new: NewOperation, plan: Sequence[PlanItem], *, share: float = 1.0
) -> Operation:
    """Put a new operation behind the others of its node, and into the queue: its flow moves on by ``share``
    (see queue.py). Raises NotFound when there is no such node."""
    operation = Operation(
        **{field: getattr(new, field) for field in NewOperation.__struct_fields__},
        uuid=new_uuid(),
        state=OperationState.QUEUED,
        plan=tuple(plan),
        created_at=tx.now(),
    )
    values = {
        "in_group": new.conductor_group,
        "in_pool": new.pool,
        "of_project": new.project,
        "with_priority": new.priority,
        "share": share,
    }
    try:
        await tx.execute(_INSERT, {**OPERATION.to_row(tx, operation), **values})
    except IntegrityError as error:
        raise NotFound(f"Node '{new.node_uuid}' could not be found.") from error
    return operation


async def get_operation(tx: Transaction, uuid: str) -> Operation:
    """Raises NotFound when there is no such operation."""
    row = (await tx.execute(_BY_UUID, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Operation '{uuid}' could not be found.")
    return OPERATION.to_record(tx, row)


async def lock_operation(tx: Transaction, uuid: str) -> Operation:
    """The operation, which nobody else changes until this transaction ends. Raises NotFound."""
    row = (await tx.execute(_LOCK, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Operation '{uuid}' could not be found.")
    return OPERATION.to_record(tx, row)


async def list_operations(
    tx: Transaction,
    node_uuid: str | None = None,
    states: Sequence[OperationState] | None = None,
    page: Page | None = None,
    project: str | None = None,
) -> list[Operation]:
    """Operations of one node or of all, in these states or in any; the first thousand without a ``page``.

    ``project``: only those that it asked for; it knows of no others, not even as markers.

    Raises:
        InvalidValue: A sort key that operations do not have.
        NotFound: The marker does not exist.
    """
    statement = OPERATION.select()
    if node_uuid is not None:
        statement = statement.where(_COLUMNS.node_uuid == node_uuid)
    if states is not None:
        statement = statement.where(_COLUMNS.state.in_(states))
    visible = [] if project is None else [_COLUMNS.project == project]
    rows = await read_page(tx, statement.where(*visible), OPERATIONS, page or Page(1000), visible=visible)
    return [OPERATION.to_record(tx, row) for row in rows]


async def find_active(tx: Transaction, node_uuid: str) -> Operation | None:
    """The exclusive operation that runs or waits on the node, or else the one that is next."""
    row = (await tx.execute(_ACTIVE_OF_NODE, {"key": node_uuid})).first()
    return None if row is None else OPERATION.to_record(tx, row)


async def guard_operation(tx: Transaction, uuid: str, fence: int) -> str | None:
    """Make sure that ``fence`` still owns the operation, and keep it so until this transaction ends.

    Its node is locked as well, and need not be read again.

    Returns why it is to be cancelled, if it is.

    Raises:
        FenceLost: Somebody else has it now.
    """
    row = (await tx.execute(_GUARD, {"key": uuid, "fence": fence})).first()
    if row is None:
        raise FenceLost(f"Operation '{uuid}' is no longer held with fence {fence}.")
    reason: str | None = row[0]
    uuid_of_node: str = row[_UUID_OF_NODE]
    tx.node_rows[uuid_of_node] = row[1:]
    return reason


async def change_operation(tx: Transaction, uuid: str, fence: int, **changes: Any) -> None:
    """Change fields of an operation that ``fence`` owns.

    Raises:
        FenceLost: Somebody else has it now; nothing was written.
    """
    done = await tx.execute(_CHANGE, {"key": uuid, "held": fence, **OPERATION.encode(tx, uuid, changes)})
    if done.rowcount == 0:
        raise FenceLost(f"Operation '{uuid}' is no longer held with fence {fence}.")


async def put_to_sleep(
    tx: Transaction, uuid: str, fence: int, *, seen: int | None, wake_at: Timestamp | None, **changes: Any
) -> Timestamp | None:
    """Give the operation up as waiting until ``wake_at``; when it will be woken.

    ``seen`` is how many signals it had when it last looked at the world: if more have come since, it is
    woken at once, so that none is lost between looking and falling asleep. None: signals do not matter.

    Raises:
        FenceLost: Somebody else has it now; nothing was written.
    """
    changes |= {"state": OperationState.WAITING, "owner": None}
    if seen is None:
        seen = _EVERY_SIGNAL
    values = {"key": uuid, "held": fence, "seen": seen, "now": tx.now(), "then": wake_at}
    row = (await tx.execute(_SLEEP, {**values, **OPERATION.encode(tx, uuid, changes)})).first()
    if row is None:
        raise FenceLost(f"Operation '{uuid}' is no longer held with fence {fence}.")
    woken: Timestamp | None = row[0]
    return woken


async def request_cancel(tx: Transaction, uuid: str, reason: str) -> None:
    """Note that the operation is to be cancelled, and wake it. It counts as a signal: it is never lost."""
    due = case((_COLUMNS.state == OperationState.WAITING, bindparam("now")), else_=_COLUMNS.wake_at)
    statement = (
        update(OPERATIONS)
        .where(_COLUMNS.uuid == bindparam("key"))
        .values(cancel_reason=bindparam("reason"), signals=_COLUMNS.signals + 1, wake_at=due)
    )
    values = {"key": uuid, "reason": storable(reason, "cancel_reason"), "now": tx.now()}
    await tx.execute(statement, values)


async def signal_operations(tx: Transaction, node_uuid: str, signal: str) -> int:
    """Wake what waits for ``signal`` on this node, and mark it on what is about to; how many there were."""
    done = await tx.execute(_SIGNAL, {"node": node_uuid, "signal": signal, "now": tx.now()})
    return done.rowcount
