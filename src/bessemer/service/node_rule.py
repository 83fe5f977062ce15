"""Rules for nodes as records: what a new one may hold, and what may change in which state. Pure.

Source: v1 contract, states (blocked_operations, protected, retired) and fields of ``node``.
"""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.domain.network_data import check_network_data
from bessemer.domain.node import Node, label
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict, Forbidden, InvalidValue

_S = ProvisionState

#: Names that are parts of paths below a node.
RESERVED_NAMES = frozenset(
    {"maintenance", "management", "states", "vendor_passthru", "detail", "validate"}
)  # fmt: skip
_INTERFACES = frozenset(kind.node_field for kind in InterfaceType)
#: States in which a node that is heading somewhere may be patched all the same.
_UPDATE_ALLOWED = frozenset({
    _S.DEPLOY_FAILED, _S.INSPECTING, _S.INSPECT_FAILED, _S.INSPECT_WAIT, _S.CLEAN_FAILED, _S.ERROR,
    _S.VERIFYING, _S.ADOPT_FAILED, _S.RESCUE_FAILED, _S.UNRESCUE_FAILED, _S.SERVICE_HOLD,
    _S.SERVICE_FAILED,
})  # fmt: skip
_RECOMPOSABLE = frozenset({_S.ENROLL, _S.INSPECTING, _S.INSPECT_WAIT, _S.MANAGEABLE, _S.AVAILABLE})
_DELETABLE = frozenset({_S.MANAGEABLE, _S.ENROLL, _S.ADOPT_FAILED})
_PROTECTABLE = frozenset({_S.ACTIVE, _S.RESCUE})


def check_values(values: Mapping[str, Any]) -> None:
    """Values that are wrong on any node. Raises InvalidValue."""
    if values.get("name") in RESERVED_NAMES:
        raise InvalidValue(f"'{values['name']}' can not be the name of a node: it is part of addresses.")
    for name in ("memory_mb", "local_gb"):
        _check_count(name, (values.get("properties") or {}).get(name))
    if values.get("network_data"):
        check_network_data(values["network_data"])


def _check_count(name: str, value: Any) -> None:
    """A number of MiB or GiB: a non-negative integer, also written as text; null is unknown."""
    is_integer = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    is_text = isinstance(value, str) and value.isascii() and value.isdigit()
    if value is not None and not is_integer and not is_text:
        raise InvalidValue(f"'properties/{name}' must be a non-negative integer.")


def check_reasons(values: Mapping[str, Any]) -> None:
    """``values`` are those the node will have. Raises InvalidValue."""
    for flag in ("protected", "retired"):
        if values.get(f"{flag}_reason") and not values.get(flag):
            raise InvalidValue(f"'{flag}_reason' needs '{flag}' to be true.")


def check_recomposition(node: Node, changes: Mapping[str, Any]) -> None:
    """Whether interfaces or driver may be other ones now, whichever they are. Raises Conflict."""
    is_asked = any(
        changes[name] != getattr(node, name) for name in (_INTERFACES | {"driver"}) & changes.keys()
    )
    if is_asked and node.provision_state not in _RECOMPOSABLE and not node.maintenance:
        raise _not_now(node, "its driver or interfaces")


def check_update(node: Node, changes: Mapping[str, Any], *, is_only_leaving: bool) -> None:
    """Whether these fields may change now. ``is_only_leaving``: the change is to take the instance off.

    Raises:
        Conflict: Not in this state.
    """
    is_heading = node.target_provision_state is not None and node.provision_state not in _UPDATE_ALLOWED
    if is_heading and not (node.maintenance and is_only_leaving):
        raise Conflict(
            f"Node '{label(node)}' can not be updated while a state transition is in progress "
            f"('{node.provision_state}', heading for '{node.target_provision_state}')."
        )
    is_reclassed = node.resource_class is not None and _changes(node, changes, "resource_class")
    if is_reclassed and node.provision_state not in _RECOMPOSABLE:
        raise _not_now(node, "its resource class")
    check_recomposition(node, changes)
    if _changes(node, changes, "driver") and node.console_enabled:
        raise Conflict("The driver can not be changed while the console is enabled.")
    _check_instance(node, changes)
    if changes.get("protected") and node.provision_state not in _PROTECTABLE:
        raise _not_now(node, "'protected' to true")
    if changes.get("retired") and not node.retired and node.provision_state is _S.AVAILABLE:
        raise Conflict("A node in 'available' can not be retired.", hint="Move it to 'manageable' first.")


def _check_instance(node: Node, changes: Mapping[str, Any]) -> None:
    new = changes.get("instance_uuid")
    if new is not None and node.instance_uuid is not None and new != node.instance_uuid:
        raise Conflict(
            f"Node '{label(node)}' is associated with instance {node.instance_uuid}.",
            hint="Remove instance_uuid first.",
        )


def _changes(node: Node, changes: Mapping[str, Any], name: str) -> bool:
    return name in changes and changes[name] != getattr(node, name)


def _not_now(node: Node, what: str) -> Conflict:
    return Conflict(f"Node '{label(node)}' in state '{node.provision_state}' can not change {what}.")


def refuse_inspecting(node: Node) -> None:
    """Clients that know 'inspect wait' (1.39) are refused updates while inspection works; not while it waits.
    Raises Conflict."""
    if node.provision_state is _S.INSPECTING:
        raise Conflict(
            f"Node '{label(node)}' is being inspected.", hint="Wait until it is done, or abort it."
        )


def check_delete(node: Node, *, allow_available: bool) -> None:
    """Raises Forbidden (protected) or Conflict (instance, state)."""
    if node.protected:
        raise Forbidden(
            f"Node '{label(node)}' is protected and can not be deleted.", hint="Clear 'protected' first."
        )
    if node.maintenance:
        return
    if node.instance_uuid is not None:
        raise Conflict(f"Node '{label(node)}' is associated with instance {node.instance_uuid}.")
    allowed = _DELETABLE | {_S.AVAILABLE} if allow_available else _DELETABLE
    if node.provision_state not in allowed:
        raise Conflict(
            f"Node '{label(node)}' can not be deleted in state '{node.provision_state}'.",
            hint=f"Deletion is allowed in {', '.join(sorted(allowed))}, and in maintenance.",
        )


def follow_display_name(node: Node, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with the name of an instance that has none taken from a new ``instance_info.display_name``.

    Only there and only this way: neither does the one follow the other when a node is created, nor when a
    name is there already. Source: Ironic 39, and openstacksdk's functional tests.
    """
    found = dict(values)
    name = found.get("instance_info", {}).get("display_name")
    is_unnamed = not found.get("instance_name", node.instance_name)
    if is_unnamed and isinstance(name, str) and 1 <= len(name) <= 255:
        found["instance_name"] = name
    return found
