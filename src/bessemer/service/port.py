"""Ports as records: register, look at, change, delete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bessemer.domain.node import Node, refuse_locked
from bessemer.domain.port import Port
from bessemer.domain.portgroup import Portgroup, check_member, check_standing
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.kernel.ident import new_uuid
from bessemer.service.below_node import Reader, get_named_node, get_new_home
from bessemer.service.caller import Caller
from bessemer.service.deadline import in_time
from bessemer.service.node_access import NodeAccess
from bessemer.service.node_rule import refuse_inspecting
from bessemer.service.port_rule import (
    check_delete,
    check_network_stays,
    check_update,
    check_values,
    has_membership_changed,
)
from bessemer.service.task import Tasks
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.node import get_node
from bessemer.store.page import Page
from bessemer.store.port import (
    PortFilter,
    create_port,
    delete_port,
    find_port,
    list_port_rows,
    list_ports_of,
    update_port,
)
from bessemer.store.portgroup import find_portgroup

Edit = Callable[[Port], Mapping[str, Any]]


class PortService:
    def __init__(self, access: NodeAccess, tasks: Tasks) -> None:
        self._access = access
        self._database = access.database
        self._tasks = tasks
        self._ports = Reader("Port", access, find_port, list_port_rows)

    async def get(self, caller: Caller, ident: str) -> Port:
        """By UUID or name. Raises NotFound or Forbidden."""
        return await self._ports.get(caller, ident)

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: PortFilter, page: Page
    ) -> list[AnyRow]:
        """Columns as the database has them, of nodes the caller may see.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller.
        """
        return await self._ports.list(caller, columns, filters, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> Port:
        """Register a port. ``node_ident`` may name its node instead of ``node_uuid``.

        Raises:
            InvalidValue: The node or port group does not exist; values that are never right.
            Forbidden: The caller may not, on this node.
            Conflict: The port group is on another physical network.
            Duplicate: uuid, address or name is taken.
        """
        found = dict(values)
        check_values(found)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            wanted = _node_ident(found)
            if wanted is None:
                raise InvalidValue("A port needs its node: node_uuid, or node_ident.")
            node = await get_named_node(tx, caller, wanted)
            found["node_uuid"] = node.uuid
            group = await _find_group(tx, found)
            if group is not None:
                check_member(group, found, await _list_others(tx, group, uuid))
            return await create_port(tx, Port(uuid=uuid, created_at=tx.now(), **found))

    async def update(
        self, caller: Caller, ident: str, edit: Edit, *, refuse_while_inspecting: bool = True
    ) -> Port:
        """Change fields of a port, after its node's network interface has agreed.

        Raises:
            NotFound: No such port.
            NodeLocked: An operation is at work on its node.
            InvalidValue: Another node or port group that does not exist or does not fit; values that are
                never right.
            Conflict: The state of the node or port group does not allow it; somebody else changed the port
                meanwhile.
        """
        port = await self.get(caller, ident)
        node = await self._access.check_free(caller, port.node_uuid)
        if refuse_while_inspecting:
            refuse_inspecting(node)
        changes = dict(edit(port))
        check_values({**msgspec.structs.asdict(port), **changes})
        wanted = _node_ident(changes)
        if wanted is not None:
            async with self._database.read() as tx:
                changes["node_uuid"] = (await get_new_home(tx, caller, node, wanted, "port")).uuid
        check_update(node, port, changes)
        after = msgspec.structs.replace(port, **changes)
        async with self._database.read() as tx:
            await _check_group(tx, port, after)
        task = await self._tasks.open(node)
        await in_time(task.driver.network.port_changed(task, port, after), "change the port in its network")
        return await self._write(port, changes)

    async def _write(self, port: Port, changes: Mapping[str, Any]) -> Port:
        async with self._database.write() as tx:
            node = await get_node(tx, port.node_uuid, lock=True)
            refuse_locked(node)
            if await self._ports.get_in(tx, port.uuid) != port:
                raise Conflict(f"Port {port.uuid} was changed by somebody else meanwhile.", hint="Try again.")
            await _check_group(tx, port, msgspec.structs.replace(port, **changes))
            return await update_port(tx, port.uuid, **changes)

    async def delete(self, caller: Caller, ident: str) -> None:
        """Raises NotFound, NodeLocked, or Conflict while a virtual interface is attached."""
        port = await self.get(caller, ident)

        async def work(tx: Transaction, node: Node) -> None:
            check_delete(node, await self._ports.get_in(tx, port.uuid))
            await delete_port(tx, port.uuid)

        await self._access.change(caller, port.node_uuid, work)


def _node_ident(values: dict[str, Any]) -> str | None:
    """The node that ``values`` name, if they name one. Takes ``node_ident`` out. Raises InvalidValue."""
    by_ident, by_uuid = values.pop("node_ident", None), values.get("node_uuid")
    if by_ident and by_uuid:
        raise InvalidValue("Give node_uuid or node_ident, not both.")
    return by_ident or by_uuid or None


async def _find_group(tx: Transaction, values: Mapping[str, Any]) -> Portgroup | None:
    """The port group that ``values`` name, if they name one. Raises InvalidValue."""
    wanted = values.get("portgroup_uuid")
    if not wanted:
        return None
    group = await find_portgroup(tx, wanted)
    if group is None:
        raise InvalidValue(f"The port group {wanted} does not exist.")
    return group


async def _list_others(tx: Transaction, group: Portgroup, uuid: str) -> list[Port]:
    """The ports of ``group`` besides the one called ``uuid``."""
    ports = await list_ports_of(tx, group.node_uuid)
    return [port for port in ports if port.portgroup_uuid == group.uuid and port.uuid != uuid]


async def _check_group(tx: Transaction, before: Port, after: Port) -> None:
    """Whether the port may be in its port group with what changed. Raises InvalidValue or Conflict."""
    group = await _find_group(tx, {"portgroup_uuid": after.portgroup_uuid})
    if group is None or not has_membership_changed(before, after):
        return
    check_network_stays(before, after)
    check_standing(group, after)
    check_member(group, msgspec.structs.asdict(after), await _list_others(tx, group, after.uuid))
