"""An operation: one durable piece of work on a node, and its journal."""

from enum import StrEnum
from typing import Any

import msgspec

from bessemer.domain.limit import Priority
from bessemer.kernel.clock import Timestamp

JsonObject = dict[str, Any]


class OperationState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED)


class Phase(StrEnum):
    """What the current step is at: doing its work, being looked at after an interruption, waiting for the
    outcome, or being taken back."""

    RUN = "run"
    CHECK = "check"
    UNTIL = "until"
    UNDO = "undo"


class PlanItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of this operation: which step of the workflow, with which arguments, under which title."""

    step: str
    args: JsonObject = {}
    title: str = ""


class OperationError(msgspec.Struct, frozen=True):
    """Why an operation failed: a stable code, whose fault, what happened and what to do."""

    code: str
    fault: str
    message: str
    hint: str = ""
    step: str = ""


class NewOperation(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to ask for an operation.

    ``project`` is whose share of the queue it uses. ``pool`` names the limit it counts against; its workflow
    says which.
    """

    node_uuid: str
    kind: str
    args: JsonObject = {}
    version: int = 1
    is_exclusive: bool = True
    conductor_group: str = ""
    requested_by: str = ""
    request_id: str = ""
    project: str = ""
    pool: str = ""
    priority: Priority = Priority.NORMAL
    #: What asked for it, where traces are kept (W3C Trace Context); empty where not.
    traceparent: str = ""


class Operation(NewOperation, frozen=True, kw_only=True):
    """One row.

    ``position`` is the plan item being worked on (its index), or the length of the plan when all are done.
    ``attempt`` counts the calls in this phase from 1; it is 0 while the step has not begun. ``data`` is what
    the steps noted for each other; it is saved with every transition.
    """

    uuid: str
    state: OperationState
    plan: tuple[PlanItem, ...] = ()
    position: int = 0
    phase: Phase = Phase.RUN
    attempt: int = 0
    data: JsonObject = {}
    #: Percent of the current step that is done, and of what; None when the step cannot tell.
    progress: float | None = None
    progress_text: str = ""
    #: While waiting: the signal awaited, when to look again at the latest, and when to give up.
    wait_for: str | None = None
    wake_at: Timestamp | None = None
    deadline_at: Timestamp | None = None
    #: When the current step first began to wait; its deadline counts from here.
    waiting_since: Timestamp | None = None
    #: How many signals have reached it.
    signals: int = 0
    owner: str | None = None
    fence: int = 0
    #: Set when somebody asked to cancel; honoured at the next safe moment.
    cancel_reason: str | None = None
    result: Any = None
    error: OperationError | None = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    step_started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    #: How many processes were lost while they carried out the present step.
    deaths: int = 0


class JournalEvent(StrEnum):
    STARTED = "started"
    RESUMED = "resumed"
    RETRIED = "retried"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"
    UNDO_FAILED = "undo failed"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did and when. ``duration_s`` is how long the thing that ended here took."""

    operation_uuid: str
    at: Timestamp
    position: int
    step: str
    title: str
    attempt: int
    event: JournalEvent
    duration_s: float | None = None
    detail: str = ""
    owner: str = ""
    fence: int = 0
