"""What happened to a node, and what inspection found in it."""

from collections.abc import Sequence

from bessemer.kernel.error import NotFound
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.event import Event, get_event, list_events
from bessemer.store.inventory import Inventory, find_inventory
from bessemer.store.page import Page


class HistoryService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access

    async def list(self, caller: Caller, ident: str, page: Page) -> Sequence[Event]:
        """The node's events. Raises NotFound for the node or the marker."""
        async with self._access.database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            return await list_events(tx, node.uuid, page)

    async def get(self, caller: Caller, ident: str, event_uuid: str) -> Event:
        """Raises NotFound: no such node, or no such event of this node."""
        async with self._access.database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            event = await get_event(tx, event_uuid)
        if event.node_uuid != node.uuid:
            raise NotFound(f"Node {ident} has no event {event_uuid}.")
        return event

    async def get_inventory(self, caller: Caller, ident: str) -> Inventory:
        """Raises NotFound: no such node, or it was never inspected."""
        async with self._access.database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            found = await find_inventory(tx, node.uuid)
        if found is None:
            raise NotFound(f"Node {ident} has no inventory: it was never inspected.")
        return found
