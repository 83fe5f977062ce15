"""A port group: several ports of a node that act as one link (a bond, a LAG)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bessemer.domain.node import Node, label
from bessemer.domain.port import Port
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import Conflict, InvalidValue

JsonObject = dict[str, Any]

#: The key of ``internal_info`` that says a tenant's virtual interface is attached.
TENANT_VIF = "tenant_vif_port_id"
_MOVABLE = frozenset({
    ProvisionState.ENROLL, ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT, ProvisionState.MANAGEABLE,
})  # fmt: skip


class Portgroup(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a port group. Field names and meanings are those of the v1 API."""

    uuid: str
    node_uuid: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    name: str | None = None
    address: str | None = None
    mode: str = "active-backup"
    #: Whether members also work as single links (before the bond is up). False: they cannot boot.
    standalone_ports_supported: bool = True
    physical_network: str | None = None
    category: str | None = None
    #: Made by the service itself, not by an operator.
    dynamic_portgroup: bool = False
    properties: JsonObject = {}
    extra: JsonObject = {}
    internal_info: JsonObject = {}


def check_member(group: Portgroup, values: Mapping[str, Any], others: Iterable[Port] = ()) -> None:
    """Whether a port that will have ``values`` (as far as they are known) can be in ``group``, beside the
    ``others`` that are in it.

    Raises:
        InvalidValue: It is on another node, or is to boot although members cannot.
        Conflict: The group or another member is on a different physical network.

    Source: v1 contract, states: blocked_operations.port_create.
    """
    if values.get("node_uuid", group.node_uuid) != group.node_uuid:
        raise InvalidValue(f"Port group {group.uuid} belongs to another node than the port.")
    if not group.standalone_ports_supported and values.get("pxe_enabled", True):
        raise InvalidValue(
            f"Port group {group.uuid} does not support standalone ports: a member can not be pxe_enabled."
        )
    network = values.get("physical_network")
    networks = {group.physical_network, *(port.physical_network for port in others)} - {None}
    if network is not None and networks - {network}:
        others_are_on = ", ".join(sorted(filter(None, networks)))
        raise Conflict(f"Port group {group.uuid} is on physical network {others_are_on}, not {network}.")


def check_standing(group: Portgroup, port: Port) -> None:
    """Whether ``port``, as it will be, may boot or carry a network of its own as a member of ``group``.

    Raises:
        Conflict: It is pxe_enabled or in use, and the group does not support that.

    Source: v1 contract, states: blocked_operations.port_update.
    """
    if group.standalone_ports_supported:
        return
    if port.pxe_enabled or port.internal_info.get(TENANT_VIF):
        raise Conflict(
            f"Port group {group.uuid} does not support standalone ports: "
            f"its member {port.uuid} can be neither pxe_enabled nor in use."
        )


def check_update(node: Node, group: Portgroup, changes: Mapping[str, Any], members: Iterable[Port]) -> None:
    """Whether these fields of the group, which is on ``node`` now, may change.

    Raises:
        InvalidValue: A group that has ports is to move to another node.
        Conflict: The node's state does not allow the move, or a member stands on its own.

    Source: v1 contract, states: blocked_operations.portgroup_update.
    """
    ports = list(members)
    if changes.get("node_uuid", group.node_uuid) != group.node_uuid:
        if ports:
            raise InvalidValue(f"Port group {group.uuid} has ports and can not move to another node.")
        if node.provision_state not in _MOVABLE and not node.maintenance:
            raise Conflict(
                f"Node '{label(node)}' in state '{node.provision_state}' can not give up a port group.",
                hint=f"Possible in {', '.join(sorted(_MOVABLE))}, and in maintenance.",
            )
    if changes.get("standalone_ports_supported") is False and group.standalone_ports_supported:
        alone = [port.uuid for port in ports if port.pxe_enabled or port.internal_info.get(TENANT_VIF)]
        if alone:
            raise Conflict(
                f"Ports of group {group.uuid} are pxe_enabled or in use: {', '.join(sorted(alone))}.",
                hint="Members of a group that does not support standalone ports can be neither.",
            )


def check_delete(group: Portgroup, members: Iterable[Port]) -> None:
    """Raises InvalidValue while the group has ports."""
    if any(True for _ in members):
        raise InvalidValue(f"Port group {group.uuid} still has ports.", hint="Take them out of it first.")
