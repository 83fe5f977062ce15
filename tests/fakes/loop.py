"""Waiting for the event loop to be done with its sockets."""

import asyncio
from typing import Any

DEADLINE_S = 30.0


async def sockets_closed() -> None:
    """Wait until the loop watches no socket but its own.

    Closing a TLS connection takes a few turns of the loop after ``close`` has returned; a loop that ends
    before leaves a socket behind, which a later test would be blamed for.
    """
    loop: Any = asyncio.get_running_loop()
    async with asyncio.timeout(DEADLINE_S):
        while len(loop._selector.get_map()) > 1:  # noqa: ASYNC110  there is no public way to see them
            await asyncio.sleep(0.005)
