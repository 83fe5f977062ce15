"""Field by field: which rule a change of a node needs, and which fields a caller does not get to see.

Source: v1 contract, access rules: field_update_rules, field_visibility.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.service.caller import Caller
from bessemer.service.target import of_project

_UPDATE = "baremetal:node:update"
_DISABLE_CLEANING = "baremetal:node:disable_cleaning"
_INTERFACES = f"{_UPDATE}:driver_interfaces"
#: Fields whose change has a rule of its own.
_CHANGE = {
    **{
        name: f"{_UPDATE}:{name}"
        for name in (
            "driver_info", "properties", "chassis_uuid", "instance_uuid", "lessee", "owner", "network_data",
            "conductor_group", "name", "retired", "shard", "parent_node", "disable_power_off",
        )
    },
    "retired_reason": f"{_UPDATE}:retired",
    "extra": "baremetal:node:update_extra",
    "instance_info": "baremetal:node:update_instance_info",
    "instance_name": "baremetal:node:update_instance_info",
    "driver": _INTERFACES,
    **{kind.node_field: _INTERFACES for kind in InterfaceType},
}  # fmt: skip
#: Fields that not everybody sees who sees the node.
_SIGHT = {
    name: f"baremetal:node:get:{name}"
    for name in ("last_error", "reservation", "driver_info", "driver_internal_info")
}
HIDEABLE = frozenset(_SIGHT)
#: Whoever passes it sees every field of every node.
_ALL_FIELDS = "baremetal:node:get:filter_threshold"
_NONE: frozenset[str] = frozenset()
#: Which rule opens the secrets of which fields.
_SECRETS = {
    "show_password": frozenset({"driver_info", "driver_internal_info"}),
    "show_instance_secrets": frozenset({"instance_info"}),
}
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change that a client asks for: of ``name``, or of something inside it. ``value`` is as written."""

    name: str
    value: Any = None
    is_removal: bool = False


def change_rules(changes: Iterable[FieldChange]) -> tuple[str, ...]:
    """The rules that all of ``changes`` need together; a request that changes nothing needs one too."""
    found = dict.fromkeys(_rule_of(change) for change in changes)
    return tuple(found) or (_UPDATE,)


def _rule_of(change: FieldChange) -> str:
    """Only a word for true keeps cleaning on: anything else may turn it off, null by way of the settings."""
    if change.name == "automated_clean" and not change.is_removal:
        is_on = str(change.value).strip().lower() in _TRUE
        return _UPDATE if is_on else _DISABLE_CLEANING
    return _CHANGE.get(change.name, _UPDATE)


def revealed(caller: Caller) -> frozenset[str]:
    """The fields of nodes whose secrets the caller gets to see."""
    if caller.policy is None:
        return _NONE
    return frozenset().union(*(fields for rule, fields in _SECRETS.items() if caller.may(rule)))


@dataclass
class Sight:
    """What one caller sees of nodes; verdicts are remembered, since lists ask the same again and again."""

    caller: Caller
    _known: dict[tuple[str | None, str | None], dict[str, str]] = field(default_factory=dict)

    @cached_property
    def is_whole(self) -> bool:
        """Whether the caller sees every field of every node."""
        return self.caller.may(_ALL_FIELDS)

    def hidden(self, owner: str | None, lessee: str | None) -> dict[str, str]:
        """The fields hidden on a node of these projects, each with the rule that hides it."""
        key = (owner, lessee)
        if key not in self._known:
            target = of_project(owner, lessee)
            self._known[key] = {
                name: rule for name, rule in _SIGHT.items() if not self.caller.may(rule, target)
            }
        return self._known[key]
