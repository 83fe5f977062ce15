"""Transitions: what changes of an operation when something has happened to it. Pure: no I/O, no clock.

A transition is the new values of the row, the journal lines that tell of it, and what the workflow is told.
``Held`` writes all three in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from bessemer.domain.operation import (
    JournalEntry,
    JournalEvent,
    Operation,
    OperationError,
    OperationState,
    Phase,
    PlanItem,
)
from bessemer.engine.workflow import Change, Done, OnInterrupt, Step, Wait, Workflow
from bessemer.kernel.clock import Timestamp, from_timestamp, seconds_between, to_timestamp
from bessemer.kernel.error import BessemerError, Fault, InternalError
from bessemer.kernel.text import storable_of

#: The error code of an operation that was ended on request.
CANCELLED: Final = "cancelled"

Fields = dict[str, Any]

#: A step that is not waiting, or not any more.
_AWAKE: Fields = {"wait_for": None, "wake_at": None, "waiting_since": None, "deadline_at": None}
_NO_PROGRESS: Fields = {"progress": None, "progress_text": ""}


@dataclass(slots=True)
class Transition:
    """``told`` pairs what became true with the operation as it was then.

    ``is_reported``: the step itself has just said how far it is.
    """

    operation: Operation
    is_reported: bool = False
    changes: Fields = field(default_factory=dict)
    entries: list[JournalEntry] = field(default_factory=list)
    told: list[tuple[Change, Operation]] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        self.changes |= changes
        self.operation = msgspec.structs.replace(self.operation, **changes)

    def write(self, event: JournalEvent, now: Timestamp, **more: Any) -> None:
        self.entries.append(entry(self.operation, event, now, **more))

    def tell(self, change: Change) -> None:
        self.told.append((change, self.operation))

    @property
    def is_last(self) -> bool:
        return self.operation.state.is_over

    @property
    def is_falling_asleep(self) -> bool:
        return "wake_at" in self.changes and self.operation.state is OperationState.WAITING


def entry(
    operation: Operation,
    event: JournalEvent,
    now: Timestamp,
    *,
    detail: str = "",
    since: Timestamp | None = None,
) -> JournalEntry:
    """A journal line about the step the operation is at; ``since`` is when the thing that ended began.

    FINISHED is about the operation as a whole: it names no step.
    """
    is_of_step = event is not JournalEvent.FINISHED and operation.position < len(operation.plan)
    item = operation.plan[operation.position] if is_of_step else None
    return JournalEntry(
        operation_uuid=operation.uuid,
        at=now,
        position=operation.position,
        step=item.step if item else "",
        title=(item.title or item.step) if item else "",
        attempt=operation.attempt,
        event=event,
        duration_s=None if since is None else max(0.0, seconds_between(since, now)),
        detail=storable_of(detail),
        owner=operation.owner or "",
        fence=operation.fence,
    )


def cancelled(reason: str, step: str = "") -> OperationError:
    return OperationError(code=CANCELLED, fault=Fault.USER, message=reason, step=step)


def recorded(error: BessemerError, step: str) -> OperationError:
    """``error`` as the operation keeps it."""
    return OperationError(
        code=error.code, fault=error.fault, message=error.message, hint=error.hint, step=step
    )


def start(transition: Transition, now: Timestamp) -> None:
    """The operation is claimed for the first time."""
    transition.change(started_at=now)
    transition.tell(Change.STARTED)


def enter(
    transition: Transition, workflow: Workflow[Any], position: int, now: Timestamp, *, is_stopping: bool
) -> None:
    """Go to the plan item at ``position``: begin its step, skip what need not be done, or come to the end.

    While the process ``is_stopping`` no step is begun: the operation is released in front of it.

    Raises:
        InternalError: The plan names a step that the workflow does not have, or its ``when`` failed.
    """
    before = transition.operation
    _survived(transition)
    transition.change(
        position=position, phase=Phase.RUN, attempt=0, state=OperationState.RUNNING, **_AWAKE, **_NO_PROGRESS
    )
    while transition.operation.position < len(transition.operation.plan):
        step = step_of(workflow, transition.operation)
        if _is_wanted(step, transition.operation):
            begin(transition, now, is_stopping=is_stopping)
            return
        transition.write(JournalEvent.SKIPPED, now)
        transition.change(position=transition.operation.position + 1)
    if before.waiting_since is not None:
        # Whoever was told that the operation waits is told that it goes on, be it only to its end.
        awake = msgspec.structs.replace(before, state=OperationState.RUNNING, **_AWAKE)
        transition.told.append((Change.STEP, awake))
    _succeed(transition, now)


def begin(transition: Transition, now: Timestamp, *, is_stopping: bool) -> None:
    """Begin the step at the present position, or release the operation in front of it."""
    if is_stopping:
        transition.change(owner=None)
        return
    transition.change(attempt=1, step_started_at=now)
    transition.write(JournalEvent.STARTED, now)
    transition.tell(Change.STEP)


def complete(transition: Transition, now: Timestamp, done: Done | None) -> None:
    """The step is done; ``enter`` is to follow."""
    operation = transition.operation
    transition.write(
        JournalEvent.DONE, now, since=operation.step_started_at, detail=done.detail if done else ""
    )
    if done and done.insert:
        insert(transition, done.insert)


def insert(transition: Transition, items: Sequence[PlanItem]) -> None:
    """Put plan items right behind the current one."""
    plan, behind = transition.operation.plan, transition.operation.position + 1
    transition.change(plan=(*plan[:behind], *items, *plan[behind:]))


def ask_for_outcome(transition: Transition, done: Done | None) -> None:
    """The work has been set going: from here on ``until`` is asked."""
    _survived(transition)
    transition.change(phase=Phase.UNTIL, attempt=0)
    if done and done.insert:
        insert(transition, done.insert)


def is_too_late(operation: Operation, wait: Wait, now: Timestamp) -> bool:
    """Whether the step has waited for as long as it may."""
    deadline = _deadline(operation, wait, now)
    return deadline is not None and deadline <= now


def fall_asleep(transition: Transition, wait: Wait, now: Timestamp) -> None:
    """The outcome is not there yet."""
    operation = transition.operation
    is_first = operation.waiting_since is None
    _survived(transition)
    deadline = _deadline(operation, wait, now)
    look_again = None if wait.poll_s is None else later(now, wait.poll_s)
    transition.change(
        phase=Phase.UNTIL,
        attempt=0,
        state=OperationState.WAITING,
        owner=None,
        wait_for=wait.signal,
        wake_at=min((moment for moment in (look_again, deadline) if moment), default=None),
        waiting_since=operation.waiting_since or now,
        deadline_at=deadline,
    )
    if wait.reason and not transition.is_reported:
        transition.change(progress_text=storable_of(wait.reason))
    if is_first:
        transition.write(JournalEvent.WAITING, now, since=operation.step_started_at, detail=wait.reason)
        transition.tell(Change.WAITING)


def failures(operation: Operation) -> int:
    """How often the present call has failed in a row, when it has just failed once more."""
    return operation.attempt if operation.phase is Phase.RUN else operation.attempt + 1


def pause(
    transition: Transition, error: BessemerError, pause_s: float, now: Timestamp, since: Timestamp
) -> None:
    """The call made at ``since`` failed in a way that trying again can cure: sleep a little, then make it
    again."""
    transition.write(JournalEvent.RETRIED, now, since=since, detail=str(error))
    _survived(transition)
    transition.change(
        attempt=failures(transition.operation),
        state=OperationState.WAITING,
        owner=None,
        wait_for=None,
        wake_at=later(now, pause_s),
    )


def run_again(transition: Transition) -> None:
    """The pause after a failed run is over."""
    attempt = transition.operation.attempt + 1
    transition.change(state=OperationState.RUNNING, attempt=attempt, wait_for=None, wake_at=None)


def take_up(transition: Transition, step: Step[Any], now: Timestamp) -> None:
    """The step's run was cut short, in another process or an earlier life of this one."""
    has_check = step.on_interrupt is OnInterrupt.CHECK
    detail = "interrupted; looking whether it was done" if has_check else "interrupted; run again"
    transition.write(JournalEvent.RESUMED, now, since=transition.operation.step_started_at, detail=detail)
    if has_check:
        transition.change(phase=Phase.CHECK, attempt=0)


def run_after_all(transition: Transition) -> None:
    """Looking has shown that the work was not done."""
    transition.change(phase=Phase.RUN, attempt=1, state=OperationState.RUNNING, wait_for=None, wake_at=None)


def fail(transition: Transition, error: OperationError, undo_position: int | None, now: Timestamp) -> None:
    """The operation cannot go on: take back what was begun, from ``undo_position`` down, or end at once."""
    event = JournalEvent.CANCELLED if error.code == CANCELLED else JournalEvent.FAILED
    operation = transition.operation
    has_begun = operation.phase is not Phase.RUN or operation.attempt > 0
    since = operation.step_started_at if has_begun else None
    transition.write(event, now, since=since, detail=error.message)
    transition.change(error=error)
    undo_next(transition, undo_position, now)


def undo_next(transition: Transition, position: int | None, now: Timestamp) -> None:
    """Go on taking back at ``position``; None: all that was begun is taken back."""
    _survived(transition)
    if position is None:
        _give_up(transition, now)
    else:
        transition.change(
            position=position,
            phase=Phase.UNDO,
            attempt=0,
            state=OperationState.RUNNING,
            **_AWAKE,
            **_NO_PROGRESS,
        )


def undone(transition: Transition, now: Timestamp, since: Timestamp) -> None:
    transition.write(JournalEvent.UNDONE, now, since=since)


def undo_failed(transition: Transition, error: BessemerError, now: Timestamp, since: Timestamp) -> None:
    """The step stays as it is; whoever reads the operation's error learns of it."""
    transition.write(JournalEvent.UNDO_FAILED, now, since=since, detail=str(error))
    reason = transition.operation.error
    if reason is not None:
        step = transition.operation.plan[transition.operation.position].step
        hint = f"{reason.hint} Taking back step '{step}' failed too: {error.message}".strip()
        transition.change(error=msgspec.structs.replace(reason, hint=hint))


def end_untold(transition: Transition, error: OperationError, reason: str, now: Timestamp) -> None:
    """The workflow could not take note of the end: it ends all the same, or it would block its node. Whatever
    the reason was, what became of the node is for the operator to see."""
    told = f"{error.hint} What this means for the node could not be written down: {reason}"
    hint = storable_of(told).strip()
    transition.change(error=msgspec.structs.replace(error, fault=Fault.OPERATOR, hint=hint))
    transition.write(JournalEvent.FAILED, now, detail=hint)
    _give_up(transition, now)
    transition.told.clear()


def name_of_step(operation: Operation) -> str:
    """The step the operation is at; empty behind the last one."""
    return operation.plan[operation.position].step if operation.position < len(operation.plan) else ""


def step_of(workflow: Workflow[Any], operation: Operation) -> Step[Any]:
    """The step at the operation's position. Raises InternalError when the workflow does not have it."""
    name = operation.plan[operation.position].step
    step = workflow.by_name.get(name)
    if step is None:
        raise InternalError(f"workflow '{workflow.kind}' has no step '{name}'")
    return step


def later(moment: Timestamp, seconds: float) -> Timestamp:
    return to_timestamp(from_timestamp(moment) + timedelta(seconds=seconds))


def _is_wanted(step: Step[Any], operation: Operation) -> bool:
    try:
        return step.when(operation)
    except Exception as error:
        raise InternalError(f"step '{step.name}' could not say whether it is needed: {error}") from error


def _survived(transition: Transition) -> None:
    """The process has come out of a call alive: those that did not before count no more."""
    if transition.operation.deaths:
        transition.change(deaths=0)


def _deadline(operation: Operation, wait: Wait, now: Timestamp) -> Timestamp | None:
    if wait.timeout_s is None:
        return None
    return later(operation.waiting_since or now, wait.timeout_s)


def _succeed(transition: Transition, now: Timestamp) -> None:
    result = transition.operation.data.get("result")
    _end(transition, OperationState.SUCCEEDED, now, result=result)
    transition.tell(Change.SUCCEEDED)


def _give_up(transition: Transition, now: Timestamp) -> None:
    error = transition.operation.error
    if error is not None and error.code == CANCELLED:
        _end(transition, OperationState.CANCELLED, now)
        transition.tell(Change.CANCELLED)
    else:
        _end(transition, OperationState.FAILED, now)
        transition.tell(Change.FAILED)


def _end(transition: Transition, state: OperationState, now: Timestamp, **more: Any) -> None:
    transition.change(state=state, **_AWAKE, **_NO_PROGRESS)
    transition.write(JournalEvent.FINISHED, now, since=transition.operation.started_at, detail=state.value)
    transition.change(owner=None, finished_at=now, **more)
