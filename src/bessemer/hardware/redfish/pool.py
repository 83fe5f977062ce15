"""The connections to all BMCs of a process: one per BMC and account, kept while it is used, and one
coordinator per BMC, whatever the account."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from time import monotonic

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.connection import BmcConnection
from bessemer.hardware.redfish.coordinator import BmcCoordinator
from bessemer.hardware.redfish.transport import Transport

#: A connection unused for this long is closed and its session at the BMC ended.
IDLE_S = 600.0
_LOOK_S = 60.0
#: Sessions ended at the same time when the process ends.
_FAREWELLS = 200


class BmcPool:
    """Gives out connections. ``run`` closes idle ones; ``close`` closes all."""

    def __init__(self, settings: RedfishSettings, *, now: Callable[[], float] = monotonic) -> None:
        self.settings = settings
        self._now = now
        self._transport = Transport(settings)
        self._connections: dict[Access, BmcConnection] = {}
        self._coordinators: dict[str, BmcCoordinator] = {}

    def connection(self, access: Access) -> BmcConnection:
        """The connection to the BMC of ``access``. Opens nothing yet."""
        endpoint = access.endpoint
        found = self._connections.get(endpoint)
        if found is None:
            coordinator = self.coordinator(endpoint)
            found = BmcConnection(endpoint, self.settings, self._transport, coordinator)
            self._connections[endpoint] = found
        found.used_at = self._now()
        return found

    @property
    def coordinators(self) -> Collection[BmcCoordinator]:
        """Those of the BMCs that are connected to, or were a moment ago."""
        return self._coordinators.values()

    def coordinator(self, access: Access) -> BmcCoordinator:
        """The coordinator of the BMC of ``access``, whatever its account."""
        found = self._coordinators.get(access.origin)
        if found is None:
            name = access.origin.partition("://")[2]
            found = self._coordinators[access.origin] = BmcCoordinator(name, self.settings, now=self._now)
        return found

    async def run(self) -> None:
        """Close what nobody uses any more. Runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.close_idle()

    async def close_idle(self) -> int:
        """Close connections unused for ``IDLE_S`` seconds; says how many."""
        limit = self._now() - IDLE_S
        idle = [endpoint for endpoint, one in self._connections.items() if one.used_at < limit]
        await self._close(idle)
        return len(idle)

    async def close(self) -> None:
        """Close every connection and end its session. Idempotent."""
        await self._close(list(self._connections))
        await self._transport.close()

    async def _close(self, endpoints: Iterable[Access]) -> None:
        gone = [self._connections.pop(endpoint) for endpoint in endpoints]
        used = {endpoint.origin for endpoint in self._connections}
        for connection in gone:
            if connection.access.origin not in used:
                self._coordinators.pop(connection.access.origin, None)
        places = asyncio.Semaphore(_FAREWELLS)

        async def close(connection: BmcConnection) -> None:
            async with places:
                await connection.close()

        async with asyncio.TaskGroup() as group:
            for connection in gone:
                group.create_task(close(connection))
