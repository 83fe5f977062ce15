"""Keeps the node's visible state in step with its operation, inside the same transaction.

An operation is the truth; ``provision_state``, ``last_error``, ``reservation`` and the node's history are
what it looks like from outside. Because both are written together, a node can never be left half-way by a
crash.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.provision import (
    KINDS,
    TARGETS,
    TRANSITIONS,
    Event,
    ProvisionState,
    StateKind,
    next_state,
)
from bessemer.engine.workflow import Change
from bessemer.store.database import Transaction
from bessemer.store.event import Severity, add_event
from bessemer.store.node import get_node, update_node
from bessemer.workflow.cancel_reason import ABORTED, REPLACED
from bessemer.workflow.undo_note import is_taken_back

Fields = dict[str, Any]
#: The plan step in which a node is held: it waits for a person, and its state says so.
HOLD = "hold"
#: Further node fields to write with a change, given the node as it is and the operation.
Extra = Callable[[Node, Operation], Mapping[str, Any]]
Follow = Callable[[Transaction, Node, Operation], Awaitable[None]]


def _no_fields(node: Node, operation: Operation) -> Mapping[str, Any]:
    return {}


async def _no_follow(tx: Transaction, node: Node, operation: Operation) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Projection:
    """How operations of one kind show on the node; an instance is a workflow's ``on_change``.

    ``states`` are the provision states that belong to the work: a node that somebody has meanwhile sent
    elsewhere is not moved back. Empty for work that is no part of provisioning. ``history`` names the kind of
    event in the node's history. ``step_field`` is the node field that shows the current step, if there is
    one. ``done`` is the event of success and ``heading`` overrides where the node is going. ``aborts_to`` is
    where the node ends when a user aborts the work and everything could be taken back; the fail state
    otherwise. ``on_success`` and ``on_failure`` give further fields; ``follow`` runs after success and
    ``at_end`` after any end, with the node as written.
    """

    host: str
    history: str
    message_limit: int
    states: frozenset[ProvisionState] = frozenset()
    step_field: str | None = None
    done: Callable[[Node, Operation], Event] = lambda *_: Event.DONE
    heading: Callable[[Operation], ProvisionState | None] = lambda _: None
    aborts_to: ProvisionState | None = None
    on_success: Extra = _no_fields
    on_failure: Extra = _no_fields
    follow: Follow = _no_follow
    at_end: Follow = _no_follow

    async def __call__(self, tx: Transaction, operation: Operation, change: Change) -> None:
        node = await get_node(tx, operation.node_uuid)
        match change:
            case Change.STARTED:
                pass  # the step or the end that comes with it shows more
            case Change.STEP:
                moved = self._move(tx, node, operation, Event.RESUME)
                await _show(tx, node, **self._lock(operation), **moved, **self._step(operation))
            case Change.WAITING:
                is_held = operation.plan[operation.position].step == HOLD
                moved = self._move(tx, node, operation, Event.HOLD if is_held else Event.WAIT)
                await _show(tx, node, **_unlock(operation), **moved)
            case Change.SUCCEEDED:
                await self._succeed(tx, node, operation)
            case Change.FAILED | Change.CANCELLED:
                await self._fail(tx, node, operation)
        if operation.state.is_over:
            await self.at_end(tx, node, operation)

    def _lock(self, operation: Operation) -> Fields:
        return {"reservation": self.host} if operation.is_exclusive else {}

    def _is_ours(self, node: Node) -> bool:
        return not self.states or node.provision_state in self.states

    def _move(self, tx: Transaction, node: Node, operation: Operation, event: Event) -> Fields:
        """The fields of a state change, or none where the node's state has no such event."""
        if node.provision_state not in self.states or event not in TRANSITIONS[node.provision_state]:
            return {}
        state = next_state(node.provision_state, event)
        target = None if KINDS[state] is StateKind.STABLE else self.heading(operation) or TARGETS.get(state)
        return {
            "provision_state": state,
            "target_provision_state": target,
            "provision_updated_at": tx.now(),
        }

    def _step(self, operation: Operation) -> Fields:
        return {self.step_field: shown_step(operation.plan[operation.position])} if self.step_field else {}

    def _no_step(self) -> Fields:
        return {self.step_field: {}} if self.step_field else {}

    async def _succeed(self, tx: Transaction, node: Node, operation: Operation) -> None:
        moved = self._move(tx, node, operation, self.done(node, operation))
        fields = {**self._no_step(), **_unlock(operation), "last_error": None}
        node = await update_node(tx, node.uuid, **fields, **moved, **self.on_success(node, operation))
        await self._record(tx, node, operation, "INFO", f"{operation.kind} succeeded")
        await self.follow(tx, node, operation)

    async def _fail(self, tx: Transaction, node: Node, operation: Operation) -> None:
        message = failure_text(operation)[: self.message_limit]
        fields = {**self._no_step(), **_unlock(operation), "target_power_state": None}
        if self._is_ours(node) and operation.cancel_reason != REPLACED:
            fields |= {"last_error": message, **self._end_badly(tx, node, operation)}
            fields |= self.on_failure(node, operation)
        node = await update_node(tx, node.uuid, **fields)
        await self._record(tx, node, operation, "ERROR", message)

    def _end_badly(self, tx: Transaction, node: Node, operation: Operation) -> Fields:
        """The fields of the state after a failure. Held nodes know abortion only."""
        is_held = KINDS[node.provision_state] is StateKind.HOLD
        event = Event.ABORT if is_held else Event.FAIL
        moved = self._move(tx, node, operation, event)
        if self.aborts_to and operation.cancel_reason == ABORTED and is_taken_back(operation):
            return {**moved, "provision_state": self.aborts_to, "target_provision_state": None}
        return moved

    async def _record(
        self, tx: Transaction, node: Node, operation: Operation, severity: Severity, message: str
    ) -> None:
        await add_event(
            tx,
            node_uuid=node.uuid,
            kind=self.history,
            severity=severity,
            message=message,
            conductor=self.host,
            user=operation.requested_by or None,
            state=node.provision_state,
            target_state=node.target_provision_state,
            payload={"operation": operation.uuid},
        )


async def _show(tx: Transaction, node: Node, **fields: Any) -> None:
    """Write what is not on the node already: most steps change nothing that it shows."""
    new = {name: value for name, value in fields.items() if getattr(node, name) != value}
    if new:
        await update_node(tx, node.uuid, **new)


def _unlock(operation: Operation) -> Fields:
    """What runs beside the work of another operation leaves the lock to that one."""
    return {"reservation": None} if operation.is_exclusive else {}


def failure_text(operation: Operation) -> str:
    """What an operator reads in ``last_error``: the work, the step, what went wrong and what to do."""
    if operation.cancel_reason:
        return f"{operation.kind} was {operation.cancel_reason}"
    error = operation.error
    if error is None:
        return f"{operation.kind} failed"
    at = f" at step '{error.step}'" if error.step else ""
    return f"{operation.kind} failed{at}: {error.message} {error.hint}".rstrip()


def shown_step(item: PlanItem) -> Fields:
    """A plan item in the form of the node fields clean_step, deploy_step and service_step."""
    if "hardware_step" in item.args:
        return dict(item.args["hardware_step"])
    return {"interface": "deploy", "step": item.title or item.step, "priority": 0}
