"""What the engine counts of operations: when they are begun, what their steps took, and how they ended.

Each series is found once: looking it up costs more than counting. There are as many as workflows have steps.
"""

from functools import cache

from prometheus_client import Counter

from bessemer.domain.operation import JournalEvent, Operation
from bessemer.engine.transition import Transition
from bessemer.kernel.clock import Timestamp, seconds_between
from bessemer.kernel.histogram import Series
from bessemer.kernel.metric import OPERATION_S, OPERATIONS, QUEUED_S, STEP_S


def count_claimed(operation: Operation, now: Timestamp) -> None:
    """The operation was claimed here; only the first time counts."""
    if operation.fence == 1:
        _queued(operation.kind).observe(max(0.0, seconds_between(operation.created_at, now)))


def count(transition: Transition) -> None:
    """The transition has become true."""
    operation = transition.operation
    for entry in transition.entries:
        if entry.duration_s is None:
            continue
        if entry.event is JournalEvent.FINISHED:
            _whole(operation.kind).observe(entry.duration_s)
        elif entry.step:
            _step(operation.kind, entry.step, entry.event.value).observe(entry.duration_s)
    if transition.is_last:
        _ends(operation.kind, operation.state.value).inc()


@cache
def _queued(kind: str) -> Series:
    return QUEUED_S.labels(kind)


@cache
def _step(kind: str, step: str, event: str) -> Series:
    return STEP_S.labels(kind, step, event)


@cache
def _whole(kind: str) -> Series:
    return OPERATION_S.labels(kind)


@cache
def _ends(kind: str, state: str) -> Counter:
    return OPERATIONS.labels(kind, state)
