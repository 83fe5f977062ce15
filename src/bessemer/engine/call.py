"""Calls: shared operations that somebody waits for. Started, awaited, and forgotten with the answer.

A call does not queue behind the exclusive operation of its node, and leaves no history: its row goes when its
answer is delivered. What nobody fetched any more (the asking process died, or gave up) goes a little later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.gateway import OVER, Gateway
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import (
    BessemerError,
    DeadlineExceeded,
    InternalError,
    NotFound,
    Unavailable,
    revived,
)
from bessemer.store.call import delete_old_calls, drop_queued_call, take_answer
from bessemer.store.database import Database
from bessemer.store.operation import request_cancel

_log = structlog.get_logger()

#: Between looks for an answer that nobody told of.
_LOOK_S = 2.0
#: How long an answer that nobody fetched is kept, and how often such answers are looked for.
_KEEP_S, _SWEEP_S = 300.0, 60.0


class Calls:
    """One per process that asks. Works with conductors in this process or in any other."""

    def __init__(self, database: Database, gateway: Gateway) -> None:
        self._database = database
        self._gateway = gateway
        self._swept_at = 0.0

    async def answer(self, start: Callable[[], Awaitable[Operation]], what: str, timeout_s: float) -> Any:
        """The result of the operation that ``start`` asks for, once a conductor has it.

        ``what`` completes the sentence "The machine did not ..." of a call that took too long.

        Raises:
            BessemerError: What the operation failed with, of the class and with the words it had there.
            DeadlineExceeded: No answer within ``timeout_s`` seconds.
        """
        heard = _Heard()
        async with self._database.listen(OVER, heard.hear):
            asked = await start()
            try:
                async with asyncio.timeout(timeout_s):
                    operation = await self._taken(asked.uuid, heard)
            except TimeoutError as error:
                await self._give_up(asked.uuid)
                raise DeadlineExceeded(f"The machine did not {what} within {timeout_s:g} seconds.") from error
        if operation.state is OperationState.SUCCEEDED:
            return operation.result
        raise _error_of(operation)

    async def _taken(self, uuid: str, heard: "_Heard") -> Operation:
        """The operation once it is over; its row is gone then."""
        while True:
            await heard.wait(uuid)
            with suppress(Unavailable):
                async with self._database.write() as tx:
                    operation = await take_answer(tx, uuid)
                    await self._sweep(tx)
                if operation is not None:
                    return operation

    async def _give_up(self, uuid: str) -> None:
        """Nobody waits for it any more: one that has not begun never will."""
        try:
            async with self._database.write() as tx:
                if not await drop_queued_call(tx, uuid):
                    await request_cancel(tx, uuid, "Nobody waits for the answer any more.")
        except (Unavailable, NotFound) as error:
            _log.warning("a call could not be taken back", operation=uuid, error=str(error))

    async def _sweep(self, tx: Any) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._swept_at < _SWEEP_S:
            return
        self._swept_at = now
        for (kind, _), workflow in self._gateway.workflows.items():
            if workflow.is_shared:
                await delete_old_calls(tx, kind, timestamp(tx.clock, after_s=-_KEEP_S))


class _Heard:
    """The ends that were told of since somebody began to listen."""

    def __init__(self) -> None:
        self._ends: set[str] = set()
        self._event = asyncio.Event()

    def hear(self, payload: str) -> None:
        self._ends.add(payload)
        self._event.set()

    async def wait(self, uuid: str) -> None:
        """Until the end of ``uuid`` was told, or could have been missed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                while not self._ends & {uuid, ""}:
                    self._event.clear()
                    await self._event.wait()
        self._ends.clear()


def _error_of(operation: Operation) -> BessemerError:
    error = operation.error
    if error is None:
        return InternalError(f"Operation '{operation.uuid}' failed and does not say why.")
    return revived(error.code, error.message, hint=error.hint)
