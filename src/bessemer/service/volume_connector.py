"""Volume connectors: the names a node goes by in storage networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.volume import VolumeConnector, check_delete, check_update
from bessemer.kernel.error import Conflict, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.below_node import check_move, get_named_node
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.page import Page
from bessemer.store.volume_connector import (
    VolumeConnectorFilter,
    create_volume_connector,
    delete_volume_connector,
    get_volume_connector,
    list_volume_connector_rows,
    update_volume_connector,
)

Edit = Callable[[VolumeConnector], Mapping[str, Any]]


class VolumeConnectorService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._database = access.database

    async def get(self, caller: Caller, uuid: str) -> VolumeConnector:
        """Raises NotFound or Forbidden."""
        async with self._database.read() as tx:
            found = await get_volume_connector(tx, uuid)
            missing = NotFound(f"Volume connector '{uuid}' could not be found.")
            await self._access.find_below(tx, caller, found.node_uuid, missing)
            return found

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: VolumeConnectorFilter, page: Page
    ) -> list[AnyRow]:
        """Columns as the database has them, of nodes the caller may see.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller, or another project's is asked for.
        """
        async with self._database.read() as tx:
            project = await self._access.limit(
                tx, caller, project=filters.project, node_uuid=filters.node_uuid
            )
            return await list_volume_connector_rows(tx, columns, replace(filters, project=project), page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> VolumeConnector:
        """Possible in every state of the node.

        Raises:
            InvalidValue: The node does not exist.
            Forbidden: The caller may not, on this node.
            Duplicate: uuid is taken, or type and connector_id together are.
        """
        found = dict(values)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            await get_named_node(tx, caller, found["node_uuid"])
            connector = VolumeConnector(uuid=uuid, created_at=tx.now(), **found)
            return await create_volume_connector(tx, connector)

    async def update(self, caller: Caller, uuid: str, edit: Edit) -> VolumeConnector:
        """``edit`` works out new values from the present ones.

        Raises:
            NotFound: No such connector.
            NodeLocked: An operation is at work on its node.
            InvalidValue: The node is not powered off; another node that does not exist or has another owner.
            Duplicate: type and connector_id together are taken.
        """
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> VolumeConnector:
            connector = await _get_on(tx, uuid, node)
            check_update(node)
            changes = dict(edit(connector))
            await check_move(tx, caller, node, changes, "volume connector")
            return await update_volume_connector(tx, connector.uuid, **changes)

        return await self._access.change(caller, before.node_uuid, work)

    async def delete(self, caller: Caller, uuid: str) -> None:
        """Raises NotFound, NodeLocked, or InvalidValue while the node is in use and not powered off."""
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> None:
            connector = await _get_on(tx, uuid, node)
            check_delete(node)
            await delete_volume_connector(tx, connector.uuid)

        await self._access.change(caller, before.node_uuid, work)


async def _get_on(tx: Transaction, uuid: str, node: Node) -> VolumeConnector:
    """The connector as it is now, which was on ``node``. Raises NotFound, or Conflict when it has moved."""
    connector = await get_volume_connector(tx, uuid)
    if connector.node_uuid != node.uuid:
        raise Conflict(f"Volume connector {uuid} was moved by somebody else meanwhile.", hint="Try again.")
    return connector
