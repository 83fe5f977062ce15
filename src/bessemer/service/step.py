"""Steps as users name them in requests for cleaning, servicing and deployment: their form.

Whether a machine offers a step is found out when the work begins. Source: v1 contract, steps.user_formats.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer.kernel.error import InvalidValue

#: Interfaces whose steps users may ask for.
_INTERFACES = ("vendor", "power", "management", "firmware", "deploy", "bios", "raid")
_SERVICE_INTERFACES = ("network", *_INTERFACES)
#: Steps that are refused in requests. Source: conf, [api]disallow_clean_steps and its siblings.
_DISALLOWED = frozenset({("vendor", "send_raw")})
_CORE_STEP = ("deploy", "deploy")
_MOST_STEPS = 500


def check_clean_steps(steps: Any) -> list[dict[str, Any]]:
    """Run in the order given. Raises InvalidValue."""
    return _ordered(steps, "clean_steps", _INTERFACES)


def check_service_steps(steps: Any) -> list[dict[str, Any]]:
    """Run in the order given. Raises InvalidValue."""
    return _ordered(steps, "service_steps", _SERVICE_INTERFACES)


def check_deploy_steps(steps: Any) -> list[dict[str, Any]]:
    """Run by priority, among the built-in ones. Raises InvalidValue."""
    keys = {"interface", "step", "args", "priority"}
    for step in _listed(steps, "deploy_steps"):
        _check(step, "deploy_steps", _INTERFACES, required=keys, allowed=keys)
        priority = step["priority"]
        if isinstance(priority, bool) or not isinstance(priority, int) or priority < 0:
            raise InvalidValue("'deploy_steps' need a priority that is a non-negative integer.")
        if (step["interface"], step["step"]) == _CORE_STEP and priority != 0:
            raise InvalidValue("The step deploy.deploy can only be disabled, with priority 0.")
    _check_unique(steps, "deploy_steps")
    return list(steps)


def _ordered(steps: Any, name: str, interfaces: Sequence[str]) -> list[dict[str, Any]]:
    if not _listed(steps, name):
        raise InvalidValue(f"'{name}' must not be empty.")
    allowed = {
        "interface", "step", "args", "order", "execute_on_child_nodes", "limit_child_node_execution",
    }  # fmt: skip
    for step in steps:
        _check(step, name, interfaces, required={"interface", "step"}, allowed=allowed)
        if step.get("execute_on_child_nodes"):
            raise InvalidValue("Steps on child nodes are not supported by this release.")
    return [{key: step[key] for key in ("interface", "step", "args") if key in step} for step in steps]


def _listed(steps: Any, name: str) -> Sequence[Any]:
    if not isinstance(steps, list) or len(steps) > _MOST_STEPS:
        raise InvalidValue(f"'{name}' must be a list of at most {_MOST_STEPS} steps.")
    return steps


def _check(step: Any, name: str, interfaces: Sequence[str], *, required: set[str], allowed: set[str]) -> None:
    if not isinstance(step, Mapping):
        raise InvalidValue(f"Each of '{name}' must be an object.")
    missing, unknown = required - step.keys(), step.keys() - allowed
    if missing or unknown:
        what = (
            f"lacks {', '.join(sorted(missing))}" if missing else f"has unknown {', '.join(sorted(unknown))}"
        )
        raise InvalidValue(f"One of '{name}' {what}.")
    if step["interface"] not in interfaces:
        raise InvalidValue(f"'{name}' may name the interfaces {', '.join(interfaces)}.")
    if not isinstance(step["step"], str) or not step["step"]:
        raise InvalidValue(f"Each of '{name}' needs the name of its step.")
    if not isinstance(step.get("args", {}), Mapping):
        raise InvalidValue(f"The args of '{name}' must be an object.")
    if (step["interface"], step["step"]) in _DISALLOWED:
        raise InvalidValue(f"The step {step['interface']}.{step['step']} is not allowed in requests.")


def _check_unique(steps: Sequence[Mapping[str, Any]], name: str) -> None:
    keys = [(step["interface"], step["step"]) for step in steps]
    if len(set(keys)) != len(keys):
        raise InvalidValue(f"'{name}' name a step twice.")
