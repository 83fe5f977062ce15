"""The way in: ask for an operation, signal it, cancel it. Works in every process, with or without a runner.

Everything happens inside the caller's transaction, so that what the caller writes about a node and the
operation it starts become true together.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import structlog

from bessemer.domain.limit import entitlement
from bessemer.domain.operation import JournalEvent, NewOperation, Operation, OperationState
from bessemer.domain.release import Release
from bessemer.engine.span import asker, tell_end
from bessemer.engine.transition import cancelled, entry
from bessemer.engine.workflow import Change, Workflow
from bessemer.kernel.error import Conflict, InternalError, Unavailable
from bessemer.store.database import Transaction
from bessemer.store.journal import add_entry
from bessemer.store.operation import (
    change_operation,
    enqueue,
    lock_operation,
    request_cancel,
    signal_operations,
)

_log = structlog.get_logger(__name__)

#: Channels of ``Transaction.notify``: there may be work to claim; somebody wants an operation cancelled
#: (payload: which); an operation is over (payload: which).
WORK: Final = "work"
CANCEL: Final = "cancel"
OVER: Final = "over"


class Gateway:
    """Knows the workflows: their plans, their newest versions, and what to tell when one never starts.

    ``weights`` are those of projects in the queue; 1 where none is given. ``pinned`` holds what is asked for
    at what that release can carry out, while conductors of it are still at work, or may be again.
    """

    def __init__(
        self,
        workflows: Iterable[Workflow[Any]] = (),
        *,
        weights: Mapping[str, float] | None = None,
        pinned: Release | None = None,
    ) -> None:
        self._weights = weights or {}
        self._pinned = pinned
        self._newest: dict[str, Workflow[Any]] = {}
        self._every: dict[tuple[str, int], Workflow[Any]] = {}
        self.register(workflows)

    def register(self, workflows: Iterable[Workflow[Any]]) -> None:
        """Add workflows (theirs may be built only after the gateway, when they start operations themselves).

        Several versions of a kind may be known; new operations get the newest that is not too new.
        """
        for workflow in workflows:
            if (workflow.kind, workflow.version) in self._every:
                raise ValueError(f"workflow '{workflow.kind}' version {workflow.version} is registered twice")
            self._every[workflow.kind, workflow.version] = workflow
            if self._pinned is not None and workflow.since > self._pinned:
                continue
            newest = self._newest.get(workflow.kind)
            if newest is None or newest.version < workflow.version:
                self._newest[workflow.kind] = workflow

    @property
    def workflows(self) -> dict[tuple[str, int], Workflow[Any]]:
        """Every workflow by kind and version."""
        return dict(self._every)

    async def enqueue(self, tx: Transaction, new: NewOperation) -> Operation:
        """Start an operation: it runs when those asked for earlier on the node are over, or at once when its
        workflow is a shared one.

        Plan, version and pool come from the workflow of its kind.

        Raises:
            InternalError: There is no workflow of this kind.
            Unavailable: There is one, but only from a later release on than the one we are held at.
            NotFound: There is no such node.
        """
        workflow = self._choose(new.kind)
        is_exclusive = new.is_exclusive and not workflow.is_shared
        versioned = msgspec.structs.replace(
            new,
            version=workflow.version,
            is_exclusive=is_exclusive,
            pool=workflow.pool,
            traceparent=asker(),
        )
        share = 1 / entitlement(self._weights.get(new.project, 1.0), new.priority)
        operation = await enqueue(tx, versioned, workflow.plan(), share=share)
        await tx.notify(WORK)
        told = {"operation": operation.uuid, "node": operation.node_uuid, "kind": operation.kind}
        tx.after_commit(lambda: _log.debug("operation asked for", **told))
        return operation

    def _choose(self, kind: str) -> Workflow[Any]:
        workflow = self._newest.get(kind)
        if workflow is not None:
            return workflow
        if any(known == kind for known, _ in self._every):
            raise Unavailable(
                f"Operations of the kind '{kind}' are not started while an upgrade is under way.",
                hint="They are newer than [DEFAULT]pin_release_version; unset it when all is upgraded.",
            )
        raise InternalError(f"there is no workflow '{kind}'")

    async def signal(self, tx: Transaction, node_uuid: str, name: str) -> None:
        """Tell the operation of the node that something happened.

        One that waits for ``name`` looks at the world again at once; one that is just about to wait does not
        fall asleep. Nothing happens when the node has no operation.
        """
        if await signal_operations(tx, node_uuid, name):
            await tx.notify(WORK)

    async def cancel(self, tx: Transaction, operation_uuid: str, reason: str) -> Operation:
        """Ask for the end of an operation; the operation as it is then.

        A queued one is cancelled at once. Another one stops at the next boundary between steps, or while it
        waits in a step that may be aborted; then its steps are undone. Idempotent: the first reason stays.

        Raises:
            NotFound: There is no such operation.
            Conflict: It is over already.
        """
        operation = await lock_operation(tx, operation_uuid)
        if operation.state.is_over:
            raise Conflict(f"Operation '{operation_uuid}' is over already: {operation.state}.")
        if operation.cancel_reason is not None:
            return operation
        if operation.state is OperationState.QUEUED:
            return await self._cancel_queued(tx, operation, reason)
        await request_cancel(tx, operation_uuid, reason)
        await tx.notify(CANCEL, operation_uuid)
        await tx.notify(WORK)
        return msgspec.structs.replace(operation, cancel_reason=reason)

    async def _cancel_queued(self, tx: Transaction, operation: Operation, reason: str) -> Operation:
        changes = {
            "state": OperationState.CANCELLED,
            "cancel_reason": reason,
            "error": cancelled(reason),
            "finished_at": tx.now(),
        }
        after = msgspec.structs.replace(operation, **changes)
        await change_operation(tx, operation.uuid, operation.fence, **changes)
        await add_entry(tx, entry(after, JournalEvent.CANCELLED, tx.now(), detail=reason))
        workflow = self._every.get((operation.kind, operation.version))
        if workflow is not None:
            await workflow.on_change(tx, after, Change.CANCELLED)
        await tx.notify(OVER, operation.uuid)
        await tx.notify(WORK)
        tx.after_commit(lambda: tell_end(after))
        return after
