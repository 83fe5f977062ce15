"""What the engine counts of operations: when they are begun, what their steps took, and how they ended."""

from bessemer.domain.operation import Operation
from bessemer.engine.transition import Transition
from bessemer.kernel.clock import Timestamp, seconds_between
from bessemer.kernel.metric import OPERATION_S, OPERATIONS, QUEUED_S, STEP_S


def count_claimed(operation: Operation, now: Timestamp) -> None:
    """The operation was claimed here; only the first time counts."""
    if operation.fence == 1:
        QUEUED_S.labels(operation.kind).observe(max(0.0, seconds_between(operation.created_at, now)))


def count(transition: Transition) -> None:
    """The transition has become true."""
    operation = transition.operation
    for entry in transition.entries:
        if entry.duration_s is not None and entry.step:
            STEP_S.labels(operation.kind, entry.step, entry.event.value).observe(entry.duration_s)
    if not transition.is_last:
        return
    OPERATIONS.labels(operation.kind, operation.state.value).inc()
    if operation.started_at is not None and operation.finished_at is not None:
        took_s = seconds_between(operation.started_at, operation.finished_at)
        OPERATION_S.labels(operation.kind).observe(max(0.0, took_s))
