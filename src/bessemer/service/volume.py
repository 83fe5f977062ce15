"""Volume connectors (the names a node goes by in storage networks) and volume targets (its remote volumes).

They are kept by the same rules: made in every state of the node, changed and deleted while it is off.
Source: v1 contract, states: blocked_operations (volume_update, volume_delete).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bessemer.domain.node import Node
from bessemer.domain.volume import VolumeConnector, VolumeTarget, check_delete, check_update
from bessemer.kernel.error import Conflict, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.below_node import check_move, get_named_node
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store import volume_connector, volume_target
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.page import Page

R = TypeVar("R", bound=VolumeConnector | VolumeTarget)


# No slots on generic records: with them, Python 3.11 cannot call a subscripted alias.
@dataclass(frozen=True)
class Shelf(Generic[R]):
    """Where one of the two kinds is kept: its record, and the store's functions for it."""

    noun: str
    record: Callable[..., R]
    filter: Callable[..., Any]
    create: Callable[[Transaction, R], Awaitable[R]]
    get: Callable[[Transaction, str], Awaitable[R]]
    update: Callable[..., Awaitable[R]]
    delete: Callable[[Transaction, str], Awaitable[None]]
    list_rows: Callable[[Transaction, Sequence[str], Any, Page], Awaitable[list[AnyRow]]]


CONNECTORS = Shelf(
    noun="volume connector",
    record=VolumeConnector,
    filter=volume_connector.VolumeConnectorFilter,
    create=volume_connector.create_volume_connector,
    get=volume_connector.get_volume_connector,
    update=volume_connector.update_volume_connector,
    delete=volume_connector.delete_volume_connector,
    list_rows=volume_connector.list_volume_connector_rows,
)
TARGETS = Shelf(
    noun="volume target",
    record=VolumeTarget,
    filter=volume_target.VolumeTargetFilter,
    create=volume_target.create_volume_target,
    get=volume_target.get_volume_target,
    update=volume_target.update_volume_target,
    delete=volume_target.delete_volume_target,
    list_rows=volume_target.list_volume_target_rows,
)


class VolumeService(Generic[R]):
    """One of the two kinds. Every call raises NotFound for what is not there or not for the caller to see,
    and Forbidden where a rule refuses."""

    def __init__(self, access: NodeAccess, shelf: Shelf[R]) -> None:
        self._access = access
        self._shelf = shelf

    async def get(self, caller: Caller, uuid: str) -> R:
        async with self._access.database.read() as tx:
            found = await self._shelf.get(tx, uuid)
            missing = NotFound(f"{self._shelf.noun.capitalize()} '{uuid}' could not be found.")
            await self._access.find_below(tx, caller, found.node_uuid, missing)
            return found

    async def list_rows(
        self,
        caller: Caller,
        columns: Sequence[str],
        page: Page,
        *,
        node_uuid: str | None = None,
        project: str | None = None,
    ) -> list[AnyRow]:
        """Columns as the database has them, of one node or of all that the caller may see; ``project``: the
        nodes' owner or lessee. Raises NotFound also for a marker that does not exist."""
        async with self._access.database.read() as tx:
            limit = await self._access.limit(tx, caller, project=project, node_uuid=node_uuid)
            filters = self._shelf.filter(node_uuid=node_uuid, project=limit)
            return await self._shelf.list_rows(tx, columns, filters, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> R:
        """Raises InvalidValue when the node does not exist, Duplicate when a unique value is taken."""
        found = dict(values)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._access.database.write() as tx:
            await get_named_node(tx, caller, found["node_uuid"])
            return await self._shelf.create(tx, self._shelf.record(uuid=uuid, created_at=tx.now(), **found))

    async def update(self, caller: Caller, uuid: str, edit: Callable[[R], Mapping[str, Any]]) -> R:
        """``edit`` works out new values from the present ones.

        Raises:
            NodeLocked: An operation is at work on its node.
            InvalidValue: The node is not powered off; another node that does not exist or has another owner.
            Duplicate: A unique value is taken.
        """
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> R:
            found = await self._get_on(tx, uuid, node)
            check_update(node)
            changes = dict(edit(found))
            await check_move(tx, caller, node, changes, self._shelf.noun)
            return await self._shelf.update(tx, found.uuid, **changes)

        return await self._access.change(caller, before.node_uuid, work)

    async def delete(self, caller: Caller, uuid: str) -> None:
        """Raises NodeLocked, or InvalidValue while the node is in use and not powered off."""
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> None:
            found = await self._get_on(tx, uuid, node)
            check_delete(node)
            await self._shelf.delete(tx, found.uuid)

        await self._access.change(caller, before.node_uuid, work)

    async def _get_on(self, tx: Transaction, uuid: str, node: Node) -> R:
        """As it is now, which was on ``node``. Raises Conflict when it has moved."""
        found = await self._shelf.get(tx, uuid)
        if found.node_uuid != node.uuid:
            noun = self._shelf.noun.capitalize()
            raise Conflict(f"{noun} {uuid} was moved by somebody else meanwhile.", hint="Try again.")
        return found
