"""Rules for ports: what a record may hold, and what may change in which state of its node. Pure.

Source: v1 contract, states (blocked_operations.port_*) and fields of ``port``.
"""

import re
from collections.abc import Mapping
from typing import Any

from bessemer.domain.node import Node, label
from bessemer.domain.port import Port
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, InvalidValue
from bessemer.kernel.ident import is_mac

_S = ProvisionState

_CONNECTIVITY = frozenset({"portgroup_uuid", "pxe_enabled", "local_link_connection", "physical_network"})
_MEMBERSHIP = ("node_uuid", "portgroup_uuid", "pxe_enabled", "physical_network")
_RECONNECTABLE = frozenset({_S.ENROLL, _S.INSPECTING, _S.INSPECT_WAIT, _S.MANAGEABLE})
_LINK_KEYS = frozenset({"switch_id", "port_id", "switch_info", "network_type", "hostname"})
_VTEP_KEYS = frozenset({"port_id", "vtep-logical-switch", "vtep-physical-switch"})
_NETWORK_TYPES = ("managed", "unmanaged")
#: An OpenFlow switch: 64 bits in hexadecimal.
_DATAPATH = re.compile(r"[0-9a-f]{16}|(?:[0-9a-f]{2}:){7}[0-9a-f]{2}", re.IGNORECASE)
#: The key of internal_info that says a tenant's virtual interface is attached.
TENANT_VIF = "tenant_vif_port_id"


def check_values(values: Mapping[str, Any]) -> None:
    """``values`` are all the port will have, as far as they are known. Raises InvalidValue."""
    link = values.get("local_link_connection") or {}
    is_smart = values.get("is_smartnic", False)
    if is_smart and not {"port_id", "hostname"} <= link.keys():
        raise InvalidValue("A Smart NIC needs port_id and hostname in local_link_connection.")
    if is_smart and values.get("portgroup_uuid"):
        raise InvalidValue("A Smart NIC can not be in a port group.")
    _check_link(link)


def _check_link(link: Mapping[str, Any]) -> None:
    if not link or link.keys() == _VTEP_KEYS:
        return
    unknown = link.keys() - _LINK_KEYS
    if unknown:
        raise InvalidValue(f"local_link_connection has unknown keys: {', '.join(sorted(unknown))}.")
    kind = link.get("network_type")
    if kind is not None and kind not in _NETWORK_TYPES:
        raise InvalidValue(f"local_link_connection.network_type must be {' or '.join(_NETWORK_TYPES)}.")
    if link.keys() == {"network_type"} and kind == "unmanaged":
        return
    if not ({"switch_id", "port_id"} <= link.keys() or {"hostname", "port_id"} <= link.keys()):
        raise InvalidValue(
            "local_link_connection needs switch_id and port_id (Smart NICs: hostname and port_id)."
        )
    switch = link.get("switch_id")
    if switch is not None and not (
        isinstance(switch, str) and (is_mac(switch) or _DATAPATH.fullmatch(switch))
    ):
        raise InvalidValue(
            "local_link_connection.switch_id must be a MAC address or an OpenFlow datapath id."
        )


def check_update(node: Node, port: Port, changes: Mapping[str, Any]) -> None:
    """Whether these fields may change now. Raises Conflict."""
    changed = {name for name, value in changes.items() if value != getattr(port, name)}
    if node.maintenance:
        return
    moved = sorted(changed & _CONNECTIVITY)
    if moved and node.provision_state not in _RECONNECTABLE:
        raise Conflict(
            f"Node '{label(node)}' in state '{node.provision_state}': its ports can not change "
            f"{', '.join(moved)}.",
            hint=f"Possible in {', '.join(sorted(_RECONNECTABLE))}, and in maintenance.",
        )
    if "address" in changed and (node.provision_state is _S.ACTIVE or node.instance_uuid is not None):
        raise Conflict(f"Node '{label(node)}' has an instance: the address of its port can not change.")
    if "node_uuid" in changed and is_in_use(port):
        raise Conflict(f"Port {port.uuid} is in use and can not move to another node.")


def has_membership_changed(before: Port, after: Port) -> bool:
    """Whether something changes that a port group has a say in."""
    return any(getattr(before, name) != getattr(after, name) for name in _MEMBERSHIP)


def check_network_stays(before: Port, after: Port) -> None:
    """A member follows its port group from one physical network to another. Raises InvalidValue."""
    is_staying = before.portgroup_uuid is not None and before.portgroup_uuid == after.portgroup_uuid
    if is_staying and before.physical_network != after.physical_network:
        raise InvalidValue(
            f"Port {before.uuid} is in a port group: its physical_network can not change alone.",
            hint="Change that of the port group, or take the port out of it.",
        )


def check_delete(node: Node, port: Port) -> None:
    """Raises Conflict."""
    if is_in_use(port) and not node.maintenance:
        raise Conflict(f"Port {port.uuid} has a virtual interface attached.", hint="Detach it first.")


def is_in_use(port: Port) -> bool:
    return bool(port.internal_info.get(TENANT_VIF))
