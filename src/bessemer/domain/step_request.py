"""Steps as users name them: in requests to clean, service and deploy, in deploy templates and runbooks.

Only their form is checked here; whether a machine offers a step is found out when the work begins.
Source: v1 contract, steps.user_formats, deploy templates, runbooks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bessemer.domain.interface import InterfaceType
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

#: Steps that are there on every machine, under whichever interface the user names.
RESERVED: Final = frozenset({"power_on", "power_off", "reboot", "hold", "wait"})
#: What requests may not name unless the operator allows it. Source: [api]disallow_*_steps.
DISALLOWED: Final = ("vendor.send_raw",)
#: The one step of a deployment that can be switched off but not moved.
CORE_STEP: Final = (InterfaceType.DEPLOY, "deploy")
MOST_STEPS: Final = 500

_INTERFACES = (
    InterfaceType.VENDOR, InterfaceType.POWER, InterfaceType.MANAGEMENT, InterfaceType.FIRMWARE,
    InterfaceType.DEPLOY, InterfaceType.BIOS, InterfaceType.RAID,
)  # fmt: skip
_SERVICE_INTERFACES = (InterfaceType.NETWORK, *_INTERFACES)
_CHILDREN = frozenset({"execute_on_child_nodes", "limit_child_node_execution"})


@dataclass(frozen=True, slots=True)
class _Form:
    """What a step looks like in one place: interfaces it may name, keys it must and may have."""

    noun: str
    interfaces: Sequence[InterfaceType]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    is_unique: bool = False


_NAMED = frozenset({"interface", "step"})
_CLEAN = _Form("clean_steps", _INTERFACES, _NAMED, frozenset({"args", "order"}) | _CHILDREN)
_SERVICE = _Form("service_steps", _SERVICE_INTERFACES, _CLEAN.required, _CLEAN.optional)
_DEPLOY = _Form("deploy_steps", _INTERFACES, _NAMED | {"args", "priority"}, is_unique=True)
_TEMPLATE = _Form("steps", _INTERFACES, _DEPLOY.required, is_unique=True)
_RUNBOOK = _Form("steps", _SERVICE_INTERFACES, _NAMED | {"args", "order"}, is_unique=True)


def check_clean_steps(steps: object, *, disallowed: Collection[str] = DISALLOWED) -> list[JsonObject]:
    """The steps of a request to clean, which run in the order given.

    Raises:
        InvalidValue: No list, an empty one, or a step with missing, unknown or wrong members; the message
            names the step by its place.
    """
    return _check(_CLEAN, steps, disallowed)


def check_service_steps(steps: object, *, disallowed: Collection[str] = DISALLOWED) -> list[JsonObject]:
    """The steps of a request to service, which run in the order given. Raises as ``check_clean_steps``."""
    return _check(_SERVICE, steps, disallowed)


def check_deploy_steps(steps: object, *, disallowed: Collection[str] = DISALLOWED) -> list[JsonObject]:
    """The steps of a request to deploy, placed among the others by priority; 0 switches a step off.

    Raises as ``check_clean_steps``, and when a step is named twice.
    """
    return _check(_DEPLOY, steps, disallowed)


def check_template_steps(steps: object, *, disallowed: Collection[str] = DISALLOWED) -> list[JsonObject]:
    """The steps of a deploy template: as ``check_deploy_steps``."""
    return _check(_TEMPLATE, steps, disallowed)


def check_runbook_steps(steps: object, *, disallowed: Collection[str] = DISALLOWED) -> list[JsonObject]:
    """The steps of a runbook, which run by their ``order``. Raises as ``check_deploy_steps``."""
    return _check(_RUNBOOK, steps, disallowed)


def _check(form: _Form, steps: object, disallowed: Collection[str]) -> list[JsonObject]:
    if not isinstance(steps, list | tuple) or not 1 <= len(steps) <= MOST_STEPS:
        raise InvalidValue(f"'{form.noun}' must be a list of 1 to {MOST_STEPS} steps.")
    found = []
    for number, step in enumerate(steps):
        where = f"{form.noun}[{number}]"
        _check_members(form, where, step)
        _check_values(form, where, step)
        name = f"{step['interface']}.{step['step']}"
        if name in disallowed:
            raise InvalidValue(f"{where}: the step {name} is not allowed.")
        found.append(dict(step))
    if form.is_unique:
        _check_unique(form.noun, found)
    return found


def _check_members(form: _Form, where: str, step: object) -> None:
    if not isinstance(step, Mapping):
        raise InvalidValue(f"{where} must be an object.")
    missing = sorted(form.required - step.keys())
    if missing:
        raise InvalidValue(f"{where} lacks '{missing[0]}'.")
    unknown = sorted(map(str, step.keys() - form.required - form.optional))
    if unknown:
        allowed = ", ".join(sorted(form.required | form.optional))
        raise InvalidValue(f"{where} has no '{unknown[0]}'.", hint=f"Members: {allowed}.")


def _check_values(form: _Form, where: str, step: Mapping[str, Any]) -> None:
    if step["interface"] not in form.interfaces:
        raise InvalidValue(f"{where}.interface must be one of {', '.join(form.interfaces)}.")
    if not isinstance(step["step"], str) or not step["step"]:
        raise InvalidValue(f"{where}.step must be the name of a step.")
    if not isinstance(step.get("args", {}), Mapping):
        raise InvalidValue(f"{where}.args must be an object.")
    for name in ("priority", "order"):
        if name in step and not _is_whole(step[name]):
            raise InvalidValue(f"{where}.{name} must be a whole number, 0 or more.")
    if (step["interface"], step["step"]) == CORE_STEP and step.get("priority", 0) != 0:
        raise InvalidValue(f"{where}: deploy.deploy can only be switched off, with priority 0.")
    if not isinstance(step.get("execute_on_child_nodes", False), bool):
        raise InvalidValue(f"{where}.execute_on_child_nodes must be true or false.")
    children = step.get("limit_child_node_execution", [])
    if not isinstance(children, list) or not all(isinstance(child, str) and child for child in children):
        raise InvalidValue(f"{where}.limit_child_node_execution must be a list of nodes.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_unique(noun: str, steps: Sequence[Mapping[str, Any]]) -> None:
    seen = set()
    for step in steps:
        key = (step["interface"], step["step"])
        if key in seen:
            raise InvalidValue(f"'{noun}' names the step {key[0]}.{key[1]} twice.")
        seen.add(key)
