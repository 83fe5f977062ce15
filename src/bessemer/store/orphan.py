"""Nodes that are shown at work although no operation works on them."""

from collections.abc import Sequence

from sqlalchemy import exists, select

from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import Timestamp
from bessemer.store.database import Transaction
from bessemer.store.table import NODES, OPERATIONS

_OPEN = tuple(state for state in OperationState if not state.is_over)


async def list_orphans(
    tx: Transaction, states: Sequence[ProvisionState], before: Timestamp, limit: int
) -> list[str]:
    """Up to ``limit`` nodes in one of ``states`` since before a moment, without an operation to come or at
    work."""
    operation = OPERATIONS.c
    is_worked_on = exists().where(operation.node_uuid == NODES.c.uuid, operation.state.in_(_OPEN))
    statement = (
        select(NODES.c.uuid)
        .where(NODES.c.provision_state.in_(states), NODES.c.provision_updated_at < before, ~is_worked_on)
        .limit(limit)
    )
    return list((await tx.execute(statement)).scalars())
