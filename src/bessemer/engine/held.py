"""An operation that this process holds: the record as last written, and the one way to write it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.figure import count
from bessemer.engine.gateway import OVER, WORK
from bessemer.engine.known import Known
from bessemer.engine.span import tell_end
from bessemer.engine.transition import Transition
from bessemer.engine.workflow import Change, OnChange
from bessemer.kernel.error import BessemerError, DatabaseLost, FenceLost, InternalError
from bessemer.kernel.text import storable_of
from bessemer.store.database import Database, Transaction
from bessemer.store.journal import add_entries, has_entry
from bessemer.store.operation import change_operation, get_operation, guard_operation, put_to_sleep
from bessemer.store.record import encode_json


class Untold(Exception):
    """The workflow's ``on_change`` failed, so nothing was written. The cause is chained."""

    def __init__(self, change: Change, operation: Operation) -> None:
        super().__init__(f"{change} of operation {operation.uuid}")
        self.change = change
        #: As it would have been.
        self.operation = operation


class Held:
    """Owned under ``operation.fence``; every write fails with FenceLost once somebody else owns it.

    ``data`` are the steps' notes, perhaps ahead of what is written. ``cancel_reason`` is as fresh as the last
    guarded write or sign of life.
    """

    def __init__(
        self, database: Database, operation: Operation, on_change: OnChange, *, has_journal: bool = True
    ) -> None:
        self._database = database
        self._has_journal = has_journal
        self._on_change = on_change
        self._saved_data = encode_json(operation.data)
        self._progress: tuple[float | None, str] | None = None
        self.known = Known()
        self.operation = operation
        self.cancel_reason = operation.cancel_reason
        #: Signals that had come before this process looked at the world.
        self.signals_seen = operation.signals

    @property
    def uuid(self) -> str:
        return self.operation.uuid

    @property
    def data(self) -> dict[str, Any]:
        return self.operation.data

    @property
    def is_at_rest(self) -> bool:
        """Whether it was let go: asleep, over, or left to somebody else."""
        return self.operation.owner is None

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits only if the operation is still ours. Raises FenceLost."""
        return self._write(is_guarded=True)

    def write_one(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction for one transition that guards itself: by the fence in its one statement."""
        return self._write(is_guarded=False)

    @asynccontextmanager
    async def _write(self, *, is_guarded: bool) -> AsyncIterator[Transaction]:
        async with self._database.write() as tx:
            if is_guarded:
                self.cancel_reason = await guard_operation(tx, self.uuid, self.operation.fence)
                tx.after_commit(lambda: self.known.wrote(tx.nodes))
            yield tx

    def begin(self) -> Transition:
        """A transition from the present record, with the notes and the progress made since."""
        transition = Transition(self.operation, is_reported=self._progress is not None)
        transition.change(data=self.data)
        if self._progress is not None:
            transition.change(progress=self._progress[0], progress_text=self._progress[1])
        return transition

    async def apply(self, tx: Transaction, transition: Transition) -> None:
        """Write ``transition`` and tell the workflow; it becomes the record when the transaction commits.

        When the operation falls asleep to wait for something, signals that came while we looked wake it at
        once. When it only waits for the time, they do not.

        Raises:
            FenceLost: The operation is no longer ours.
            Untold: The workflow refused to hear of it.
        """
        changes = dict(transition.changes)
        if transition.is_falling_asleep:
            seen = self.signals_seen if transition.operation.wait_for is not None else None
            due = await put_to_sleep(tx, self.uuid, self.operation.fence, seen=seen, **changes)
            transition.change(wake_at=due)
        else:
            await change_operation(tx, self.uuid, self.operation.fence, **changes)
        if self._has_journal:
            await add_entries(tx, transition.entries)
        for change, operation in transition.told:
            await self._tell(tx, operation, change)
        await self._announce(tx, transition)

    async def adopt(self, tx: Transaction, doubtful: Transition) -> bool:
        """Whether ``doubtful`` was written after all, by a commit that nobody answered. Then it becomes the
        record when the transaction commits. Within ``write``: who wrote before us is waited for.

        What leaves neither a journal line nor the operation at rest only sets fields: written twice, it is
        written once.
        """
        if doubtful.operation.owner is None:
            found = await get_operation(tx, self.uuid)
            if found.owner is not None:
                return False
            doubtful.change(wake_at=found.wake_at)
        elif not (self._has_journal and doubtful.entries and await has_entry(tx, doubtful.entries[0])):
            return False
        await self._announce(tx, doubtful)
        return True

    async def _announce(self, tx: Transaction, transition: Transition) -> None:
        if transition.is_last:
            await tx.notify(OVER, self.uuid)
        if _leaves_work(transition.operation):
            await tx.notify(WORK)
        tx.after_commit(partial(self._written, transition))

    async def _tell(self, tx: Transaction, operation: Operation, change: Change) -> None:
        try:
            await self._on_change(tx, operation, change)
        except (FenceLost, DatabaseLost):
            raise
        except Exception as error:
            raise Untold(change, operation) from error

    def _written(self, transition: Transition) -> None:
        count(transition)
        if transition.is_last:
            tell_end(transition.operation)
        self.operation = transition.operation
        self._saved_data = encode_json(self.operation.data)
        self._progress = None

    def note_progress(self, percent: float | None, text: str) -> None:
        """To be written with the next transition, or by ``save_progress`` before."""
        self._progress = (percent, storable_of(text))

    async def save_progress(self) -> None:
        """Write the progress noted last, if it is not written yet. Raises FenceLost."""
        if self._progress is None:
            return
        percent, text = self._progress
        async with self._database.write() as tx:
            changes = {"progress": percent, "progress_text": text}
            await change_operation(tx, self.uuid, self.operation.fence, **changes)
            tx.after_commit(partial(self._progress_written, percent, text))

    def _progress_written(self, percent: float | None, text: str) -> None:
        self.operation = msgspec.structs.replace(self.operation, progress=percent, progress_text=text)
        if self._progress == (percent, text):
            self._progress = None

    async def save_data(self) -> None:
        """Write the notes now. Raises FenceLost, and InternalError when they are not JSON."""
        self.check_data()
        async with self.write() as tx:
            await change_operation(tx, self.uuid, self.operation.fence, data=self.data)
        self._saved_data = encode_json(self.data)

    def check_data(self) -> None:
        """Make sure that the notes can be written; what cannot is forgotten.

        Raises:
            InternalError: A step noted something that is no JSON value.
        """
        try:
            encode_json(self.data)
        except BessemerError as error:
            self.data.clear()
            self.data.update(msgspec.json.decode(self._saved_data))
            raise InternalError(f"a step noted something that cannot be saved: {error.message}") from error


def _leaves_work(operation: Operation) -> bool:
    """Whether the node is free for its next one, or this one for another process."""
    if operation.owner is not None or operation.state is OperationState.WAITING:
        return False
    return operation.is_exclusive or not operation.state.is_over
