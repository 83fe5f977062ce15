"""The vocabulary of workflows: a workflow is a table of steps, and each step says how it survives a crash.

A step has up to three faces. ``run`` does or starts the work. ``until`` (optional) looks, without side
effects, whether the outcome is there yet; while it is not, the operation is a row in the database and costs
nothing. ``undo`` takes the step back when a later one fails. The engine saves where it is before and after
every face, so that after ``kill -9`` it knows which step was cut short, and asks the step's declaration:

* ``IDEMPOTENT``: run it again, that does no harm;
* ``CHECK``: call ``check`` first, which looks at the world and says whether the work was done;
* ``ASK``: fail with a clear message and let the undo steps leave the machine safe; a human decides.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.release import FIRST, Release
from bessemer.engine.known import Known
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.clock import Clock, Timestamp
from bessemer.store.database import Transaction

D = TypeVar("D")
D_co = TypeVar("D_co", covariant=True)


class OnInterrupt(StrEnum):
    IDEMPOTENT = "idempotent"
    CHECK = "check"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Done:
    """The step is complete. ``insert`` adds plan items right behind the current one. ``also`` writes what
    becomes true together with the completion; it may be called again when the database was away.
    """

    detail: str = ""
    insert: Sequence[PlanItem] = ()
    also: Callable[[Transaction], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The outcome is not there yet.

    The operation sleeps until ``signal`` is raised for its node, or ``poll_s`` seconds have passed, and
    ``until`` is asked again. ``timeout_s`` counts from the moment the step began to wait: when it has passed
    the step fails with ``DeadlineExceeded`` and ``reason`` in the message. None waits for ever (holds).
    """

    signal: str
    timeout_s: float | None
    poll_s: float | None = None
    reason: str = ""


class Verdict(StrEnum):
    """What ``check`` found after an interruption."""

    HAPPENED = "happened"
    ABSENT = "absent"


class Context(Protocol[D_co]):
    """What a step sees of its operation. Everything it writes is fenced: a process that lost the
    operation to another one gets ``FenceLost`` and changes nothing."""

    @property
    def operation(self) -> Operation: ...
    @property
    def item(self) -> PlanItem:
        """The plan item being carried out: the step's arguments and title."""
        ...

    @property
    def deps(self) -> D_co:
        """The collaborators given to the engine by the composition root."""
        ...

    @property
    def clock(self) -> Clock: ...
    @property
    def data(self) -> dict[str, Any]:
        """Notes for later steps (JSON values only); saved with the next transition."""
        ...

    @property
    def known(self) -> Known:
        """Records that need not be read."""
        ...

    @property
    def step_started_at(self) -> Timestamp: ...
    @property
    def is_cancel_requested(self) -> bool: ...
    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction that commits only if this process still owns the operation.

        Raises:
            FenceLost: Another process has it now.
        """
        ...

    async def save(self) -> None:
        """Save ``data`` now, in the middle of a step (before a call that must not be repeated)."""
        ...

    async def report(self, percent: float | None, text: str = "") -> None:
        """Tell how far the step is. Cheap: written at most about once a second."""
        ...


Run = Callable[[Context[D]], Awaitable[Done | None]]
Until = Callable[[Context[D]], Awaitable[Done | Wait]]
Check = Callable[[Context[D]], Awaitable[Verdict]]
Undo = Callable[[Context[D]], Awaitable[None]]


def _always(_: Operation) -> bool:
    return True


# No slots on generic records: with them, Python 3.11 cannot call a subscripted alias such as Step[Deps].
@dataclass(frozen=True)
class Step(Generic[D]):
    """One row of a workflow table.

    A face failing with an error that says ``retry`` is called ``attempts`` times in a row at most, with
    ``backoff`` between (the pause is a durable timer). ``timeout_s`` bounds one call of any of its faces; it
    is the last resort, longer than devices' clients wait for answers (a minute) and ask again.
    A step whose ``undo`` is None says in ``undone_by`` who cleans up after it ("" = nothing to clean up).
    ``when`` false skips the step. While ``is_abortable`` is false a cancel request waits for the step's end.
    """

    name: str
    run: Run[D]
    on_interrupt: OnInterrupt
    until: Until[D] | None = None
    check: Check[D] | None = None
    undo: Undo[D] | None = None
    undone_by: str = ""
    when: Callable[[Operation], bool] = _always
    timeout_s: float = 300.0
    attempts: int = 3
    backoff: Backoff = Backoff()
    is_abortable: bool = True

    def __post_init__(self) -> None:
        if (self.on_interrupt is OnInterrupt.CHECK) != (self.check is not None):
            raise ValueError(f"step '{self.name}': CHECK and a check function belong together")


class Change(StrEnum):
    """What has just become true of an operation; told to ``Workflow.on_change``."""

    STARTED = "started"
    STEP = "step"  # a step begins (also the first, and also when resumed after a wait)
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OnChange = Callable[[Transaction, Operation, Change], Awaitable[None]]


async def _nothing(tx: Transaction, operation: Operation, change: Change) -> None:
    return None


@dataclass(frozen=True)
class Workflow(Generic[D]):
    """A kind of operation.

    ``steps`` is the initial plan, in order; ``extra`` are steps that others insert while running.
    ``on_change`` is called inside the very transaction that changes the operation: what it writes (the
    node's provision state, an event, a follow-up operation) becomes true together with it or not at all. It
    must only write to the database. ``undo`` runs from the failing step backwards over the steps that were
    begun.

    ``pool`` names the limit that its operations count against while they run or wait ("" = none).

    ``version`` is that of what it leaves in its rows (arguments, notes, plan): a change by which a process of
    the release before could not carry on a row is a new version, ``since`` that release; the old one stays in
    the catalogue for a release, so that rows of both are carried on.

    A shared workflow is a call: its operations run beside the exclusive one of their node, wait for nothing,
    keep no journal and tell nobody of their changes. It has one step, without ``until`` and ``undo``.
    """

    kind: str
    steps: tuple[Step[D], ...]
    extra: tuple[Step[D], ...] = ()
    version: int = 1
    since: Release = FIRST
    on_change: OnChange = _nothing
    is_shared: bool = False
    pool: str = ""
    by_name: dict[str, Step[D]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        every = (*self.steps, *self.extra)
        by_name = {step.name: step for step in every}
        if len(by_name) != len(every):
            raise ValueError(f"workflow '{self.kind}': two steps share a name")
        if self.is_shared and (
            len(every) != 1 or every[0].until or every[0].undo or self.on_change != _nothing
        ):
            raise ValueError(f"workflow '{self.kind}' is more than a call")
        object.__setattr__(self, "by_name", by_name)

    def plan(self) -> tuple[PlanItem, ...]:
        return tuple(PlanItem(step=step.name) for step in self.steps)
