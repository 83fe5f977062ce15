"""Nodes as records: enrol, look at, change, delete, put into maintenance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node, label
from bessemer.domain.provision import ProvisionState
from bessemer.hardware.composition import Composition
from bessemer.kernel.error import Conflict, InvalidValue, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import NodeAccess, may_see
from bessemer.service.node_field import revealed
from bessemer.service.node_rule import (
    check_delete,
    check_reasons,
    check_recomposition,
    check_update,
    check_values,
    follow_display_name,
    refuse_inspecting,
)
from bessemer.service.target import of_node
from bessemer.store.allocation import get_allocation, release_node
from bessemer.store.database import Transaction
from bessemer.store.event import add_event
from bessemer.store.node import (
    create_node,
    delete_node,
    find_node,
    list_child_nodes,
    update_node,
)
from bessemer.store.node_list import NodeFilter, list_node_rows
from bessemer.store.page import Page
from bessemer.store.trait import list_traits

#: New values of the fields to change, worked out from the node as it is in that very transaction.
Edit = Callable[[Node], Mapping[str, Any]]

_INTERFACES = tuple(kind.node_field for kind in InterfaceType)
_CREATE_OWN = "baremetal:node:create:self_owned_node"
_DELETE = "baremetal:node:delete"
_DELETE_OWN = "baremetal:node:delete:self_owned_node"
_CHANGE_OWNER_ACTIVE = "baremetal:node:update_owner_provisioned"


class NodeService:
    def __init__(
        self,
        access: NodeAccess,
        composition: Composition,
        conductors: ConductorService,
        settings: Settings,
    ) -> None:
        self._access = access
        self._database = access.database
        self._composition = composition
        self._conductors = conductors
        self._settings = settings

    async def get(self, caller: Caller, ident: str) -> Node:
        """Raises NotFound."""
        return await self._access.get(caller, ident)

    async def get_with_traits(self, caller: Caller, ident: str) -> tuple[Node, Sequence[str]]:
        """The node and its traits. Raises NotFound."""
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            return node, (await list_traits(tx, [node.uuid]))[node.uuid]

    async def list_children(self, caller: Caller, ident: str) -> tuple[Node, Sequence[str]]:
        """The node, and the UUIDs of those whose parent it is and that the caller may see, oldest first.

        Raises:
            NotFound: No such node.
        """
        async with self._database.read() as tx:
            node = await self._access.find(tx, caller, ident)
            children = await list_child_nodes(tx, node.uuid)
        return node, [child.uuid for child in children if may_see(caller, child)]

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: NodeFilter, page: Page
    ) -> Sequence[Sequence[Any]]:
        """Columns of nodes as the database has them, of those the caller may see; JSON documents are text.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller, or another project's nodes are asked for.
        """
        if filters.owner is not None:
            caller.limit(filters.owner)
        filters = replace(filters, project=caller.limit(filters.project))
        async with self._database.read() as tx:
            return await list_node_rows(tx, columns, filters, page, opened=revealed(caller))

    async def create(
        self, caller: Caller, values: Mapping[str, Any], *, state: ProvisionState = ProvisionState.ENROLL
    ) -> Node:
        """Enrol a node. ``values`` are node fields, checked for type; what is left out gets its default.

        Raises:
            InvalidValue: A driver or interface that is not enabled or does not fit, a chassis or parent that
                does not exist, a group nobody serves, a value that is never right.
            Duplicate: uuid, name or instance_uuid is taken.
            Forbidden: The caller may not enrol nodes.
        """
        found = dict(values)
        self._claim(caller, found)
        check_values(found)
        check_reasons(found)
        interfaces = {name: found.pop(name, None) for name in _INTERFACES}
        found |= self._composition.fill_interfaces(found["driver"], interfaces)
        found["conductor_group"] = (
            found.get("conductor_group") or self._settings.default.default_conductor_group
        ).lower()
        found["resource_class"] = found.get("resource_class") or self._settings.default.default_resource_class
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            await self._conductors.check_group(tx, found["conductor_group"])
            if found.get("parent_node"):
                found["parent_node"] = await _parent(
                    tx, caller, uuid, found["parent_node"], found.get("owner")
                )
            node = Node(uuid=uuid, created_at=tx.now(), provision_state=state, **found)
            created = await _with_chassis(create_node(tx, node), node.chassis_uuid)
            await self._record(tx, caller, created, "enrolled")
            return created

    async def update(
        self,
        caller: Caller,
        ident: str,
        edit: Edit,
        *,
        reset_interfaces: bool = False,
        is_only_leaving: bool = False,
        refuse_while_inspecting: bool = True,
    ) -> Node:
        """Change fields of a node. The interface fields are always left whole: a null becomes the default.

        ``is_only_leaving``: the change takes the instance off and does nothing else, which is allowed in
        maintenance even while the node is heading somewhere.

        Raises:
            NotFound, NodeLocked: See ``NodeAccess.change``.
            InvalidValue: As for ``create``, or ``reset_interfaces`` without a change of driver.
            Conflict: The node's state does not allow this change; Duplicate: a unique value is taken.
        """

        async def work(tx: Transaction, node: Node) -> Node:
            changes = follow_display_name(node, edit(node))
            if reset_interfaces and "driver" not in changes:
                raise InvalidValue("'reset_interfaces' can only be used together with a change of driver.")
            if refuse_while_inspecting:
                refuse_inspecting(node)
            check_recomposition(node, changes)
            changes = await self._completed(tx, caller, node, changes, reset_interfaces=reset_interfaces)
            check_update(node, changes, is_only_leaving=is_only_leaving)
            _check_new_owner(caller, node, changes)
            await _follow_allocation(tx, node, changes)
            return await _with_chassis(update_node(tx, node.uuid, **changes), changes.get("chassis_uuid"))

        return await self._access.change(caller, ident, work)

    async def delete(self, caller: Caller, ident: str) -> None:
        """Delete a node and everything below it. The machine is left as it is.

        Raises:
            NotFound, NodeLocked: See ``NodeAccess.change``.
            Forbidden: The node is protected.
            Conflict: It has an instance, or is in a state that does not allow it.
        """

        async def work(tx: Transaction, node: Node) -> None:
            allows = self._settings.conductor.allow_deleting_available_nodes
            check_delete(node, allow_available=allows)
            await delete_node(tx, node.uuid)
            gone = {"node": node.uuid, "name": node.name}
            await add_event(tx, node_uuid=None, kind="node", message="A node was deleted.", payload=gone)

        rules = (_DELETE, _DELETE_OWN) if self._settings.api.project_admin_can_manage_own_nodes else _DELETE
        await self._access.change(caller.asking(rules), ident, work)

    async def set_maintenance(self, caller: Caller, ident: str, reason: str | None) -> None:
        """Idempotent; a second call replaces the reason. Raises NotFound."""

        async def work(tx: Transaction, node: Node) -> None:
            await update_node(tx, node.uuid, maintenance=True, maintenance_reason=reason)
            if not node.maintenance:
                await self._record(tx, caller, node, "put into maintenance")

        await self._access.touch(caller, ident, work)

    async def clear_maintenance(self, caller: Caller, ident: str) -> None:
        """Also forgets the reason and the fault. Idempotent. Raises NotFound."""

        async def work(tx: Transaction, node: Node) -> None:
            await update_node(tx, node.uuid, maintenance=False, maintenance_reason=None, fault=None)
            if node.maintenance:
                await self._record(tx, caller, node, "taken out of maintenance")

        await self._access.touch(caller, ident, work)

    # ------------------------------------------------------------------ inside

    def _claim(self, caller: Caller, values: dict[str, Any]) -> None:
        """Whether the caller may enrol a node. A project's own node is given its owner.

        Raises:
            Forbidden: The caller may enrol none.
            InvalidValue: It is to be another project's.
        """
        is_allowed = self._settings.api.project_admin_can_manage_own_nodes
        if not is_allowed or caller.is_trusted or caller.project is None or not caller.may(_CREATE_OWN):
            caller.check()
            return
        if values.get("owner") not in (None, caller.project):
            raise InvalidValue("A project can not enrol a node for another owner.")
        values["owner"] = caller.project

    async def _completed(
        self, tx: Transaction, caller: Caller, node: Node, changes: dict[str, Any], *, reset_interfaces: bool
    ) -> dict[str, Any]:
        """``changes`` with everything that follows from them. Raises InvalidValue."""
        check_values(changes)
        if changes.get("protected") is False:
            changes.setdefault("protected_reason", None)
        if changes.get("retired") is False:
            changes.setdefault("retired_reason", None)
        names = ("protected", "protected_reason", "retired", "retired_reason")
        check_reasons({name: changes.get(name, getattr(node, name)) for name in names})
        if changes.get("maintenance") is False:
            changes |= {"maintenance_reason": None, "fault": None}
        if changes.get("parent_node"):
            owner = changes.get("owner", node.owner)
            changes["parent_node"] = await _parent(tx, caller, node.uuid, changes["parent_node"], owner)
        if "conductor_group" in changes:
            changes["conductor_group"] = changes["conductor_group"].lower()
            await self._conductors.check_group(tx, changes["conductor_group"])
        named = {name: changes[name] for name in _INTERFACES if name in changes}
        driver = changes.get("driver", node.driver)
        if named or driver != node.driver or reset_interfaces:
            changes |= self._composition.change_driver(node, driver, named, reset_interfaces=reset_interfaces)
        return changes

    async def _record(self, tx: Transaction, caller: Caller, node: Node, what: str) -> None:
        await add_event(
            tx,
            node_uuid=node.uuid,
            kind="node",
            message=f"Node '{label(node)}' was {what}.",
            user=caller.user,
            project=caller.project,
            state=node.provision_state,
        )


async def _parent(tx: Transaction, caller: Caller, uuid: str, ident: str, owner: str | None) -> str:
    """The UUID of the parent, which the caller must see and which must have the same owner.

    Raises:
        InvalidValue: It is none, or not for the caller.
    """
    parent = await find_node(tx, ident)
    if parent is None or not may_see(caller, parent):
        raise InvalidValue(f"The parent node '{ident}' does not exist.")
    if parent.uuid == uuid:
        raise InvalidValue("A node can not be its own parent.")
    if parent.owner != owner:
        raise InvalidValue(f"The parent node '{ident}' has another owner.")
    return parent.uuid


def _check_new_owner(caller: Caller, node: Node, changes: Mapping[str, Any]) -> None:
    """Raises Conflict when a node with an instance is to change hands, and the caller may not do that."""
    is_same = changes.get("owner", node.owner) == node.owner
    if is_same or node.provision_state is not ProvisionState.ACTIVE:
        return
    if not caller.may(_CHANGE_OWNER_ACTIVE, of_node(node)):
        raise Conflict(f"Node '{label(node)}' is active: its owner can not change.")


async def _follow_allocation(tx: Transaction, node: Node, changes: Mapping[str, Any]) -> None:
    """What ``changes`` mean for the allocation that holds the node: without its instance it ends.

    Raises:
        Conflict: The node is to have another owner while a project's allocation holds it.
    """
    if node.allocation_uuid is None:
        return
    if "instance_uuid" in changes and changes["instance_uuid"] is None:
        await release_node(tx, node.uuid)
    elif changes.get("owner", node.owner) != node.owner:
        allocation = await get_allocation(tx, node.allocation_uuid)
        if allocation.owner is not None:
            raise Conflict(
                f"Node '{label(node)}' is allocated to project {allocation.owner}: its owner can not change."
            )


async def _with_chassis(write: Any, chassis_uuid: str | None) -> Node:
    try:
        node: Node = await write
    except NotFound as error:
        raise InvalidValue(f"The chassis '{chassis_uuid}' does not exist.") from error
    return node
