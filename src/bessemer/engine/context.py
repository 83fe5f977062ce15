"""What a step sees of its operation."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, TypeVar

from bessemer.domain.operation import Operation, PlanItem
from bessemer.engine.held import Held
from bessemer.engine.known import Known
from bessemer.kernel.clock import Clock, Timestamp
from bessemer.kernel.error import BessemerError
from bessemer.store.database import Transaction

D = TypeVar("D")

#: Shortest time between two writes of progress, in seconds.
REPORT_S = 1.0


class StepContext(Generic[D]):
    """The ``Context`` of one call of one face of a step. Close it when the call is over."""

    def __init__(self, held: Held, deps: D, clock: Clock) -> None:
        self._held = held
        self._deps = deps
        self._clock = clock
        self._item = held.operation.plan[held.operation.position]
        self._last_write = asyncio.get_running_loop().time()
        self._flush: asyncio.Task[None] | None = None

    @property
    def operation(self) -> Operation:
        return self._held.operation

    @property
    def item(self) -> PlanItem:
        return self._item

    @property
    def deps(self) -> D:
        return self._deps

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def data(self) -> dict[str, Any]:
        return self._held.data

    @property
    def known(self) -> Known:
        return self._held.known

    @property
    def step_started_at(self) -> Timestamp:
        return self._held.operation.step_started_at or self._held.operation.created_at

    @property
    def is_cancel_requested(self) -> bool:
        return self._held.cancel_reason is not None

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        return self._held.write()

    async def save(self) -> None:
        await self._held.save_data()

    async def report(self, percent: float | None, text: str = "") -> None:
        self._held.note_progress(percent, text)
        pause_s = self._last_write + REPORT_S - asyncio.get_running_loop().time()
        if pause_s <= 0:
            await self._write_progress()
        elif self._flush is None or self._flush.done():
            # The last report of a quick succession must not stay unwritten for as long as the step lasts.
            self._flush = asyncio.create_task(self._write_later(pause_s), name="write progress")

    async def close(self) -> None:
        """Nothing is written any more; what was reported last goes along with the next transition."""
        if self._flush is not None:
            self._flush.cancel()
            await asyncio.wait((self._flush,))

    async def _write_later(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        # The step itself learns of a lost fence or database at its own next write.
        with suppress(BessemerError):
            await self._write_progress()

    async def _write_progress(self) -> None:
        self._last_write = asyncio.get_running_loop().time()
        await self._held.save_progress()
