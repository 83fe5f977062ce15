"""Volume targets: the remote volumes of a node."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.volume import VolumeTarget, check_delete, check_update
from bessemer.kernel.error import Conflict, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.below_node import check_move, get_named_node
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.page import Page
from bessemer.store.volume_target import (
    VolumeTargetFilter,
    create_volume_target,
    delete_volume_target,
    get_volume_target,
    list_volume_target_rows,
    update_volume_target,
)

Edit = Callable[[VolumeTarget], Mapping[str, Any]]


class VolumeTargetService:
    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._database = access.database

    async def get(self, caller: Caller, uuid: str) -> VolumeTarget:
        """Raises NotFound or Forbidden."""
        async with self._database.read() as tx:
            found = await get_volume_target(tx, uuid)
            missing = NotFound(f"Volume target '{uuid}' could not be found.")
            await self._access.find_below(tx, caller, found.node_uuid, missing)
            return found

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: VolumeTargetFilter, page: Page
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
            return await list_volume_target_rows(tx, columns, replace(filters, project=project), page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> VolumeTarget:
        """Possible in every state of the node.

        Raises:
            InvalidValue: The node does not exist.
            Forbidden: The caller may not, on this node.
            Duplicate: uuid is taken, or boot_index is on this node.
        """
        found = dict(values)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            await get_named_node(tx, caller, found["node_uuid"])
            target = VolumeTarget(uuid=uuid, created_at=tx.now(), **found)
            return await create_volume_target(tx, target)

    async def update(self, caller: Caller, uuid: str, edit: Edit) -> VolumeTarget:
        """``edit`` works out new values from the present ones.

        Raises:
            NotFound: No such target.
            NodeLocked: An operation is at work on its node.
            InvalidValue: The node is not powered off; another node that does not exist or has another owner.
            Duplicate: Another target of the node has this boot_index.
        """
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> VolumeTarget:
            target = await _get_on(tx, uuid, node)
            check_update(node)
            changes = dict(edit(target))
            await check_move(tx, caller, node, changes, "volume target")
            return await update_volume_target(tx, target.uuid, **changes)

        return await self._access.change(caller, before.node_uuid, work)

    async def delete(self, caller: Caller, uuid: str) -> None:
        """Raises NotFound, NodeLocked, or InvalidValue while the node is in use and not powered off."""
        before = await self.get(caller, uuid)

        async def work(tx: Transaction, node: Node) -> None:
            target = await _get_on(tx, uuid, node)
            check_delete(node)
            await delete_volume_target(tx, target.uuid)

        await self._access.change(caller, before.node_uuid, work)


async def _get_on(tx: Transaction, uuid: str, node: Node) -> VolumeTarget:
    """The target as it is now, which was on ``node``. Raises NotFound, or Conflict when it has moved."""
    target = await get_volume_target(tx, uuid)
    if target.node_uuid != node.uuid:
        raise Conflict(f"Volume target {uuid} was moved by somebody else meanwhile.", hint="Try again.")
    return target
