"""Waiting for an operation's end, from any process."""

import asyncio
from contextlib import suppress

from bessemer.domain.operation import Operation
from bessemer.engine.gateway import OVER
from bessemer.kernel.error import DeadlineExceeded, Unavailable
from bessemer.store.database import Database
from bessemer.store.operation import get_operation

#: Between looks at an operation whose end nobody told of.
_LOOK_S = 2.0


async def wait_finished(database: Database, operation_uuid: str, timeout_s: float) -> Operation:
    """The operation once it is over. A database that goes away meanwhile is waited for.

    Raises:
        NotFound: There is no such operation.
        DeadlineExceeded: It is not over within ``timeout_s`` seconds.
    """
    over = asyncio.Event()

    def hear(payload: str) -> None:
        if payload in ("", operation_uuid):
            over.set()

    try:
        async with asyncio.timeout(timeout_s), database.listen(OVER, hear):
            while True:
                over.clear()
                with suppress(Unavailable):
                    async with database.read() as tx:
                        operation = await get_operation(tx, operation_uuid)
                    if operation.state.is_over:
                        return operation
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await over.wait()
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"Operation '{operation_uuid}' was not over within {timeout_s:g} seconds."
        ) from error
