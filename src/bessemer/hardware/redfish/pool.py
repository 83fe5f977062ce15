"""The connections to all BMCs of a process: one per BMC and account, kept while it is used."""

import asyncio
from collections.abc import Callable
from time import monotonic

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.connection import BmcConnection

#: A connection unused for this long is closed and its session at the BMC ended.
IDLE_S = 600.0
_LOOK_S = 60.0


class BmcPool:
    """Gives out connections. ``run`` closes idle ones; ``close`` closes all."""

    def __init__(self, settings: RedfishSettings, *, now: Callable[[], float] = monotonic) -> None:
        self.settings = settings
        self._now = now
        self._connections: dict[Access, BmcConnection] = {}
        self._used_at: dict[Access, float] = {}

    def connection(self, access: Access) -> BmcConnection:
        """The connection to the BMC of ``access``. Opens nothing yet."""
        endpoint = access.endpoint
        self._used_at[endpoint] = self._now()
        found = self._connections.get(endpoint)
        if found is None:
            found = self._connections[endpoint] = BmcConnection(endpoint, self.settings)
        return found

    async def run(self) -> None:
        """Close what nobody uses any more. Runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.close_idle()

    async def close_idle(self) -> int:
        """Close connections unused for ``IDLE_S`` seconds; says how many."""
        limit = self._now() - IDLE_S
        idle = [endpoint for endpoint, used_at in self._used_at.items() if used_at < limit]
        await self._close(idle)
        return len(idle)

    async def close(self) -> None:
        """Close every connection and end its session. Idempotent."""
        await self._close(list(self._connections))

    async def _close(self, endpoints: list[Access]) -> None:
        gone = [self._connections.pop(endpoint) for endpoint in endpoints]
        for endpoint in endpoints:
            self._used_at.pop(endpoint, None)
        async with asyncio.TaskGroup() as group:
            for connection in gone:
                group.create_task(connection.close())
