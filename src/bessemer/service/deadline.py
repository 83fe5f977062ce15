"""Waiting for somebody outside while a caller waits for us."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bessemer.kernel.error import DeadlineExceeded

T = TypeVar("T")

#: Longest such wait.
WAIT_S = 60.0


async def in_time(call: Awaitable[T], what: str) -> T:
    """The result of ``call``; ``what`` completes "It was not possible to ...". Raises DeadlineExceeded."""
    try:
        async with asyncio.timeout(WAIT_S):
            return await call
    except TimeoutError as error:
        raise DeadlineExceeded(f"It was not possible to {what} within {WAIT_S:g} seconds.") from error
