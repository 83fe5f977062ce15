"""Waiting for what nobody announces."""

import asyncio
from collections.abc import Callable


async def until(question: Callable[[], object], *, timeout_s: float = 60.0) -> None:
    """Return when ``question`` answers with something true; TimeoutError when it never does."""
    async with asyncio.timeout(timeout_s):
        while not question():  # noqa: ASYNC110  there is nothing to be woken by
            await asyncio.sleep(0.005)
