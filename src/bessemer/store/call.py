"""Shared operations: calls, whose rows go when their answers are delivered, and work beside other work."""

from sqlalchemy import bindparam, delete

from bessemer.domain.operation import Operation, OperationState
from bessemer.kernel.clock import Timestamp
from bessemer.store.database import Transaction
from bessemer.store.operation import OPERATION
from bessemer.store.statement import Statement
from bessemer.store.table import OPERATIONS

_COLUMNS = OPERATIONS.c
_OVER = tuple(state for state in OperationState if state.is_over)
_TAKE = Statement(
    delete(OPERATIONS)
    .where(_COLUMNS.uuid == bindparam("key"), ~_COLUMNS.is_exclusive, _COLUMNS.state.in_(_OVER))
    .returning(*OPERATION.columns)
)
_DROP = Statement(
    delete(OPERATIONS).where(
        _COLUMNS.uuid == bindparam("key"), ~_COLUMNS.is_exclusive, _COLUMNS.state == OperationState.QUEUED
    )
)
_DELETE_OLD = Statement(
    delete(OPERATIONS).where(
        _COLUMNS.kind == bindparam("kind"),
        ~_COLUMNS.is_exclusive,
        _COLUMNS.finished_at < bindparam("before"),
    ),
    is_long=True,
)
_BESIDE = Statement(
    OPERATION.select()
    .where(
        _COLUMNS.node_uuid == bindparam("node"),
        _COLUMNS.kind == bindparam("kind"),
        ~_COLUMNS.is_exclusive,
        _COLUMNS.state.not_in(_OVER),
    )
    .limit(1)
)


async def find_beside(tx: Transaction, node_uuid: str, kind: str) -> Operation | None:
    """A shared operation of this kind on the node that is not over."""
    row = (await tx.execute(_BESIDE, {"node": node_uuid, "kind": kind})).first()
    return None if row is None else OPERATION.to_record(tx, row)


async def take_answer(tx: Transaction, uuid: str) -> Operation | None:
    """The call as it ended, which is deleted with its journal; None while it is not over."""
    row = (await tx.execute(_TAKE, {"key": uuid})).first()
    return None if row is None else OPERATION.to_record(tx, row)


async def drop_queued_call(tx: Transaction, uuid: str) -> bool:
    """Delete a call that nobody has begun to carry out; whether there was one."""
    return (await tx.execute(_DROP, {"key": uuid})).rowcount > 0


async def delete_old_calls(tx: Transaction, kind: str, before: Timestamp) -> int:
    """Delete calls of this kind that ended before a moment; how many there were.

    Other shared operations, which ran beside the work of their node, are kept as long as any.
    """
    return (await tx.execute(_DELETE_OLD, {"kind": kind, "before": before})).rowcount
