"""Starting an operation on a node whose other work may only be waiting."""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.limit import Priority
from bessemer.domain.node import Node, label
from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.engine.gateway import Gateway
from bessemer.kernel.error import NodeLocked
from bessemer.service.caller import Caller
from bessemer.store.call import find_beside
from bessemer.store.database import Transaction
from bessemer.store.operation import find_active


async def start(  # noqa: PLR0917  what an operation is made of
    tx: Transaction,
    gateway: Gateway,
    caller: Caller,
    node: Node,
    kind: str,
    args: Mapping[str, Any],
    *,
    may_join: bool = False,
) -> Operation:
    """Start an operation that must not queue behind another one.

    ``may_join``: where the other one is asleep (it waits for an agent, say), this one runs beside it.

    Raises:
        NodeLocked: Another operation works on the node, is queued, or waits and may not be joined.
    """
    active = await find_active(tx, node.uuid)
    if active is not None and may_join and _is_asleep(active):
        active = await find_beside(tx, node.uuid, kind)
        is_exclusive = False
    else:
        is_exclusive = True
    if active is not None:
        raise NodeLocked(
            f"Node '{label(node)}' has an unfinished operation '{active.kind}' ({active.state}).",
            hint="Wait until it is done, or abort it.",
        )
    new = NewOperation(
        node_uuid=node.uuid,
        kind=kind,
        args=dict(args),
        is_exclusive=is_exclusive,
        conductor_group=node.conductor_group,
        requested_by=caller.label,
        request_id=caller.request_id,
        project=caller.project or "",
        priority=Priority.HIGH,
    )
    return await gateway.enqueue(tx, new)


def _is_asleep(operation: Operation) -> bool:
    """It waits for something to happen; a pause between two tries does not count."""
    is_waiting = operation.state is OperationState.WAITING and operation.owner is None
    return is_waiting and operation.wait_for is not None
