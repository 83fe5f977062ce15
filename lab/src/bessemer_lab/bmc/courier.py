"""Bringing events to those who want them: each with a deadline, a few tries, and in the background.

Source: DMTF DSP0266, "Eventing"; EventService schema (DeliveryRetryAttempts).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

#: Further tries after the first, the pause between them, and what one may take.
RETRIES = 3
RETRY_S = 1.0
TRY_S = 5.0


class Courier:
    """Posts events by ``session``, which must verify no certificates: BMCs seldom do."""

    def __init__(
        self, session: aiohttp.ClientSession, *, retry_s: float = RETRY_S, try_s: float = TRY_S
    ) -> None:
        self._session = session
        self._retry_s = retry_s
        self._try_s = try_s
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, url: str, event: dict[str, Any], failed: Callable[[], None]) -> None:
        """Bring ``event`` to ``url``; ``failed`` is called when no try has worked."""
        task = asyncio.get_running_loop().create_task(self._bring(url, event, failed), name="bring an event")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Give up what is under way. Idempotent."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _bring(self, url: str, event: dict[str, Any], failed: Callable[[], None]) -> None:
        for attempt in range(RETRIES + 1):
            if attempt:
                await asyncio.sleep(self._retry_s)
            if await self._try(url, event):
                return
        failed()

    async def _try(self, url: str, event: dict[str, Any]) -> bool:
        try:
            async with asyncio.timeout(self._try_s), self._session.post(url, json=event) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False
