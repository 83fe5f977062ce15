"""Work on another node as part of an operation: a durable operation of its own, there, and waiting for it.

The other node keeps its own queue and journal; nothing of ours touches it while somebody else works on it.
"""

from collections.abc import Sequence
from typing import Any

from bessemer.domain.node import Node, label
from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, Wait
from bessemer.kernel.error import Conflict, DeviceError, NotFound
from bessemer.store.database import Transaction
from bessemer.store.operation import change_operation, find_active, get_operation
from bessemer.workflow.collaborators import NodeContext

#: Raised for a node when an operation that one of its own waits for is over.
SIGNAL = "other node"
_LOOK_AGAIN_S = 5.0
_KEY = "elsewhere"


Wanted = Sequence[tuple[Node, str, dict[str, Any]]]


async def begin(context: NodeContext, gateway: Gateway, wanted: Wanted) -> None:
    """Start one operation for each (node, kind, arguments). Idempotent: what this step has started stays.

    Raises:
        Conflict: One of the nodes is being worked on.
    """
    position = context.operation.position
    noted = context.data.get(_KEY, {})
    if noted.get("position") == position:
        return
    operation = context.operation
    async with context.write() as tx:
        started = [(await _start(tx, gateway, operation, *one)).uuid for one in wanted]
        note = {"position": position, "operations": started}
        # With the operations or not at all: a crash in between would start them twice.
        await change_operation(tx, operation.uuid, operation.fence, data={**context.data, _KEY: note})
    context.data[_KEY] = note


async def _start(  # noqa: PLR0917
    tx: Transaction, gateway: Gateway, asker: Operation, node: Node, kind: str, args: dict[str, Any]
) -> Operation:
    await _check_free(tx, node)
    return await gateway.enqueue(
        tx,
        NewOperation(
            node_uuid=node.uuid,
            kind=kind,
            args={**args, "asked_by_node": asker.node_uuid},
            conductor_group=node.conductor_group,
            requested_by=asker.requested_by,
            request_id=asker.request_id,
            project=asker.project,
            priority=asker.priority,
        ),
    )


async def _check_free(tx: Transaction, node: Node) -> None:
    active = await find_active(tx, node.uuid)
    if active is not None:
        raise Conflict(
            f"Node '{label(node)}' has an unfinished operation '{active.kind}'.",
            hint="Wait until it is done, then try again.",
        )


async def are_done(context: NodeContext) -> Done | Wait:
    """Whether the operations that ``begin`` started are over.

    Raises:
        DeviceError: One of them failed; with its own words.
    """
    uuids = context.data.get(_KEY, {}).get("operations", [])
    async with context.deps.database.read() as tx:
        found = [await _find(tx, uuid) for uuid in uuids]
    failed = [one for one in found if one is not None and one.state in _BAD]
    if failed:
        one, error = failed[0], failed[0].error
        why = error.message if error else "it was cancelled"
        raise DeviceError(f"'{one.kind}' failed on node {one.node_uuid}: {why}")
    if any(one is not None and not one.state.is_over for one in found):
        return Wait(SIGNAL, timeout_s=None, poll_s=_LOOK_AGAIN_S, reason="work on another node goes on")
    return Done(detail=f"{len(found)} other nodes are done")


_BAD = (OperationState.FAILED, OperationState.CANCELLED)


async def _find(tx: Transaction, uuid: str) -> Operation | None:
    """None when the node has been deleted meanwhile, and its operations with it."""
    try:
        return await get_operation(tx, uuid)
    except NotFound:
        return None


async def tell_asker(gateway: Gateway, tx: Transaction, operation: Operation) -> None:
    """Wake the operation that waits for this one, if there is one. Called when it is over."""
    asker = operation.args.get("asked_by_node")
    if asker is not None:
        await gateway.signal(tx, asker, SIGNAL)
