"""How long a request waits for a node that is being worked on."""

from collections.abc import Callable

import pytest

from bessemer.config.settings import ConductorSettings
from bessemer.domain.node import refuse_locked
from bessemer.kernel.error import NodeLocked
from bessemer.service.lock import LockWait
from fakes.store import a_node


def settings(attempts: int, interval: float) -> ConductorSettings:
    return ConductorSettings(node_locked_retry_attempts=attempts, node_locked_retry_interval=interval)


def locked_for(attempts: int) -> tuple[Callable[[], object], list[int]]:
    tries: list[int] = []

    async def attempt() -> str:
        tries.append(1)
        refuse_locked(a_node(reservation="host" if len(tries) <= attempts else None))
        return "done"

    return attempt, tries


async def test_a_node_that_becomes_free_in_time_is_taken() -> None:
    attempt, tries = locked_for(3)
    assert await LockWait(settings(3, 0.01)).patiently(attempt) == "done"  # type: ignore[arg-type]
    assert len(tries) == 4


async def test_patience_ends() -> None:
    attempt, tries = locked_for(1000)
    with pytest.raises(NodeLocked, match="host"):
        await LockWait(settings(3, 0.01)).patiently(attempt)  # type: ignore[arg-type]
    assert 2 <= len(tries) < 10


async def test_without_patience_there_is_one_try() -> None:
    attempt, tries = locked_for(1000)
    with pytest.raises(NodeLocked):
        await LockWait(settings(0, 1.0)).patiently(attempt)  # type: ignore[arg-type]
    assert len(tries) == 1
