"""Port groups as records: make, look at, change, delete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.domain.portgroup import Portgroup, check_delete, check_update
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.kernel.ident import new_uuid
from bessemer.service.below_node import Reader, check_move, get_named_node
from bessemer.service.caller import Caller
from bessemer.service.node_access import NodeAccess
from bessemer.service.node_rule import refuse_inspecting
from bessemer.service.task import Tasks
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.page import Page
from bessemer.store.port import list_ports_of, update_port
from bessemer.store.portgroup import (
    PortgroupFilter,
    create_portgroup,
    delete_portgroup,
    find_portgroup,
    list_portgroup_rows,
    update_portgroup,
)

Edit = Callable[[Portgroup], Mapping[str, Any]]


class PortgroupService:
    """``default_mode`` is the bond mode of groups made without one."""

    def __init__(self, access: NodeAccess, tasks: Tasks, default_mode: str) -> None:
        self._access = access
        self._database = access.database
        self._tasks = tasks
        self._default_mode = default_mode
        self._groups = Reader("Port group", access, find_portgroup, list_portgroup_rows)

    async def get(self, caller: Caller, ident: str) -> Portgroup:
        """By UUID or name. Raises NotFound or Forbidden."""
        return await self._groups.get(caller, ident)

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: PortgroupFilter, page: Page
    ) -> list[AnyRow]:
        """Columns as the database has them, of nodes the caller may see.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller.
        """
        return await self._groups.list(caller, columns, filters, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> Portgroup:
        """Make a group without ports.

        Raises:
            InvalidValue: The node does not exist.
            Forbidden: The caller may not, on this node.
            Duplicate: uuid, address or name is taken.
        """
        found = dict(values)
        uuid = found.pop("uuid", None) or new_uuid()
        found["mode"] = found.get("mode") or self._default_mode
        async with self._database.write() as tx:
            await get_named_node(tx, caller, found["node_uuid"])
            return await create_portgroup(tx, Portgroup(uuid=uuid, created_at=tx.now(), **found))

    async def update(
        self, caller: Caller, ident: str, edit: Edit, *, refuse_while_inspecting: bool = True
    ) -> Portgroup:
        """Change fields of a group. Its ports go along to another physical network.

        Raises:
            NotFound: No such group.
            NodeLocked: An operation is at work on its node.
            InvalidValue: Another node that does not exist or has another owner; no mode; settings that the
                node's network interface does not take.
            Conflict: The state of the node or of a member does not allow it.
            Duplicate: address or name is taken.
        """
        group = await self.get(caller, ident)

        async def work(tx: Transaction, node: Node) -> Portgroup:
            if refuse_while_inspecting:
                refuse_inspecting(node)
            now = await self._get_on(tx, group.uuid, node)
            changes = dict(edit(now))
            if changes.get("mode", now.mode) is None:
                raise InvalidValue("The mode of a port group can not be removed.")
            members = await _list_members(tx, now)
            await check_move(tx, caller, node, changes, "port group")
            check_update(node, now, changes, members)
            task = await self._tasks.open_in(tx, node)
            task.driver.network.validate(task)
            changed = await update_portgroup(tx, now.uuid, **changes)
            if changed.physical_network != now.physical_network:
                for port in members:
                    await update_port(tx, port.uuid, physical_network=changed.physical_network)
            return changed

        return await self._access.change(caller, group.node_uuid, work)

    async def delete(self, caller: Caller, ident: str) -> None:
        """Raises NotFound, NodeLocked, or InvalidValue while the group has ports."""
        group = await self.get(caller, ident)

        async def work(tx: Transaction, node: Node) -> None:
            now = await self._get_on(tx, group.uuid, node)
            check_delete(now, await _list_members(tx, now))
            await delete_portgroup(tx, now.uuid)

        await self._access.change(caller, group.node_uuid, work)

    async def _get_on(self, tx: Transaction, uuid: str, node: Node) -> Portgroup:
        """The group as it is now, which was on ``node``. Raises NotFound, or Conflict when it has moved."""
        group = await self._groups.get_in(tx, uuid)
        if group.node_uuid != node.uuid:
            raise Conflict(f"Port group {uuid} was moved by somebody else meanwhile.", hint="Try again.")
        return group


async def _list_members(tx: Transaction, group: Portgroup) -> list[Port]:
    return [port for port in await list_ports_of(tx, group.node_uuid) if port.portgroup_uuid == group.uuid]
