"""A commit whose answer is lost may have become true: what it wrote is not written a second time."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

import pytest
import pytest_asyncio

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.workflow import Change, OnInterrupt, Verdict
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import DatabaseLost
from bessemer.store.database import Database, Transaction
from bessemer.store.event import add_event, list_events
from bessemer.store.page import Page
from fakes.engine import (
    PATIENCE_S,
    Record,
    enqueue,
    journal_lines,
    raising,
    running,
    until_state,
    waiting_for,
)

#: Of all commits, how many are not answered.
SHARE = 0.5


class UnansweredTransaction(Transaction):
    """Becomes true, and nobody says so."""

    __slots__ = ()

    def _committed(self) -> None:
        raise DatabaseLost("The database went away.")


class ForgetfulDatabase(Database):
    """Some of its commits are not answered, by the dice it is given; never two in a row."""

    dice: random.Random | None = None
    lost = 0
    _is_answered = True

    def _transaction(self, link: Any, *, is_writing: bool) -> Transaction:
        was_answered, self._is_answered = self._is_answered, True
        if is_writing and self.dice is not None and was_answered and self.dice.random() < SHARE:
            self.lost += 1
            self._is_answered = False
            return UnansweredTransaction(link, self.clock, self._notifier, self.vault, is_writing=True)
        return super()._transaction(link, is_writing=is_writing)


@pytest_asyncio.fixture
async def forgetful(database: Database, database_url: str) -> AsyncIterator[ForgetfulDatabase]:
    opened = await ForgetfulDatabase.open(database_url, clock=SystemClock(), vault=database.vault)
    yield opened
    opened.dice = None
    await opened.close()


async def note(tx: Transaction, operation: Operation, change: Change) -> None:
    await add_event(tx, node_uuid=operation.node_uuid, kind=str(change))


async def carry_out(
    forgetful: ForgetfulDatabase, database: Database, seed: int, *steps: Any
) -> tuple[Operation, list[str], Counter[str]]:
    """The operation, its journal and the events that it left."""
    async with running(forgetful, [Record().workflow(*steps, on_change=note)]) as engine:
        before = await enqueue(engine, database)
        await until_state(database, before, *(state for state in OperationState if state.is_over))
        operation = await enqueue(engine, database)
        forgetful.dice = random.Random(seed)
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        forgetful.dice = None
    async with database.read() as tx:
        events = await list_events(tx, operation.node_uuid, Page(1000))
    return done, await journal_lines(database, done), Counter(event.kind for event in events)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_journal_and_events_say_everything_once(
    database: Database, forgetful: ForgetfulDatabase, seed: int
) -> None:
    record = Record()
    looks = cycle([False, False, False, True])

    async def happened(_: Any) -> Verdict:
        return Verdict.HAPPENED

    steps = [
        record.step("a"),
        record.step("b", until=waiting_for("agent", lambda: next(looks), poll_s=0.01)),
        record.step("c", check=happened, on_interrupt=OnInterrupt.CHECK),
    ]
    done, journal, events = await carry_out(forgetful, database, seed, *steps)
    assert forgetful.lost > 0
    assert done.state is OperationState.SUCCEEDED
    # A wait may be over by the time it is looked at again.
    assert [line for line in journal if line != "waiting b"] == [
        "started a", "done a", "started b", "done b", "started c", "done c", "finished",
    ]  # fmt: skip
    assert journal.count("waiting b") == 1
    assert (events["started"], events["succeeded"], events["waiting"]) == (1, 1, 1)


async def test_failing_and_taking_back_are_told_once(
    database: Database, forgetful: ForgetfulDatabase
) -> None:
    record = Record()
    steps = [record.step("a"), record.step("b", raising(ValueError("x")))]
    done, journal, events = await carry_out(forgetful, database, 2, *steps)
    assert forgetful.lost > 0
    assert done.state is OperationState.FAILED
    assert journal == [
        "started a", "done a", "started b", "failed b", "undone b", "undone a", "finished",
    ]  # fmt: skip
    assert (events["started"], events["failed"]) == (1, 1)
