"""Whether requests can be served here."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from bessemer.kernel.error import Unavailable

#: A database slower than this is as good as none.
ANSWER_S = 5.0


class Conductors(Protocol):
    async def list_alive(self) -> Collection[str]: ...


class HealthService:
    def __init__(self, conductors: Conductors, *, answer_s: float = ANSWER_S) -> None:
        self._conductors = conductors
        self._answer_s = answer_s

    async def complaints(self, *, with_conductors: bool = False) -> list[str]:
        """What is wrong, a sentence each; nothing when all is well. ``with_conductors``: whether it is wrong
        that no conductor is alive."""
        try:
            async with asyncio.timeout(self._answer_s):
                live = await self._conductors.list_alive()
        except (Unavailable, TimeoutError):
            return ["The database does not answer."]
        return ["No conductor is alive."] if with_conductors and not live else []
