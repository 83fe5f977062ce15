"""Which steps will run: what drivers and agent offer, with the operator's priorities; what a user named.

A step named by the user may be one that every machine has (``hold``, ``wait``, ``power_on``...), and may be
meant for the node's children. Source: v1 contract, steps.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bessemer.config.settings import Settings
from bessemer.domain.step import HardwareStep
from bessemer.domain.step_request import RESERVED
from bessemer.kernel.error import InvalidValue

#: Arguments of the steps that every machine has.
_RESERVED_ARGS: Mapping[str, Mapping[str, Any]] = {
    "wait": {"seconds": {"description": "How long.", "required": False}}
}
#: By ``interface.step``.
Priorities = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ChosenStep:
    """``children`` are the nodes to run it on instead of this one: None = this one, () = every child."""

    step: HardwareStep
    children: tuple[str, ...] | None = None

    @property
    def is_reserved(self) -> bool:
        return self.step.step in RESERVED


def clean_priorities(settings: Settings) -> Priorities:
    """The operator's priorities of automated cleaning, by ``interface.step``. Raises InvalidValue."""
    deploy = settings.deploy
    named = {
        "deploy.erase_devices": deploy.erase_devices_priority,
        "deploy.erase_devices_metadata": deploy.erase_devices_metadata_priority,
        "raid.create_configuration": deploy.create_configuration_priority,
        "raid.delete_configuration": deploy.delete_configuration_priority,
    }
    set_by_name = {name: priority for name, priority in named.items() if priority is not None}
    return {**set_by_name, **read_priorities(settings.conductor.clean_step_priority_override)}


def read_priorities(override: Mapping[str, str]) -> Priorities:
    """Raises InvalidValue for a priority that is no whole number of 0 or more."""
    for name, priority in override.items():
        if not str(priority).isdecimal():
            raise InvalidValue(f"The priority override of {name} is '{priority}': a whole number is needed.")
    return {name: int(priority) for name, priority in override.items()}


def overridden(steps: Iterable[HardwareStep], priorities: Priorities) -> list[HardwareStep]:
    """The steps with the operator's priorities in place of their own."""
    return [
        msgspec.structs.replace(step, priority=priorities.get(f"{step.interface}.{step.step}", step.priority))
        for step in steps
    ]


def chosen(
    offered: Iterable[HardwareStep],
    asked: Iterable[Mapping[str, Any]],
    *,
    has_ramdisk: bool = True,
    unknown_is_ignored: bool = False,
) -> list[ChosenStep]:
    """The steps a user named, in the user's order and with the user's arguments.

    Raises:
        InvalidValue: A step that neither the driver nor the agent offers (unless such are ignored), one that
            needs the ramdisk where none is booted, or an unknown or missing argument.
    """
    by_key = {(str(step.interface), step.step): step for step in offered}
    found = []
    for wish in asked:
        children = _children(wish)
        step = _find(by_key, wish, is_elsewhere=children is not None)
        if step is None:
            if unknown_is_ignored:
                continue
            raise _unknown(wish, by_key)
        if not has_ramdisk and step.requires_ramdisk and children is None:
            raise _needs_ramdisk(step.interface, step.step)
        args = dict(wish.get("args") or {})
        if children is None or step.step in RESERVED:
            check_args(step, args)
        priority = int(wish.get("priority", step.priority))
        found.append(ChosenStep(msgspec.structs.replace(step, args=args, priority=priority), children))
    return found


def _children(wish: Mapping[str, Any]) -> tuple[str, ...] | None:
    if not wish.get("execute_on_child_nodes"):
        return None
    return tuple(wish.get("limit_child_node_execution") or ())


def _find(
    by_key: Mapping[tuple[str, str], HardwareStep], wish: Mapping[str, Any], *, is_elsewhere: bool
) -> HardwareStep | None:
    """What children offer is not known here: their own operation looks."""
    if wish["step"] not in RESERVED:
        known = by_key.get((wish["interface"], wish["step"]))
        bare = {"interface": wish["interface"], "step": wish["step"]}
        return msgspec.convert(bare, HardwareStep) if is_elsewhere else known
    if is_elsewhere and wish["step"] in ("hold", "wait"):
        raise InvalidValue(f"The step '{wish['step']}' cannot be run on child nodes.")
    facts = {
        "interface": wish["interface"],
        "step": wish["step"],
        "abortable": True,
        "requires_ramdisk": False,
        "argsinfo": _RESERVED_ARGS.get(wish["step"], {}),
    }
    return msgspec.convert(facts, HardwareStep)


def _unknown(wish: Mapping[str, Any], by_key: Collection[tuple[str, str]]) -> InvalidValue:
    names = ", ".join(sorted(f"{interface}.{step}" for interface, step in by_key)) or "none"
    return InvalidValue(
        f"There is no step {wish['interface']}.{wish['step']} on this node.", hint=f"On offer: {names}."
    )


def check_args(step: HardwareStep, args: Mapping[str, Any]) -> None:
    """Raises InvalidValue for an argument that the step does not know, or lacks."""
    unknown = sorted(set(args) - set(step.argsinfo))
    needed = {name for name, info in step.argsinfo.items() if (info or {}).get("required")}
    missing = sorted(needed - set(args))
    if unknown or missing:
        problem = [f"unknown: {', '.join(unknown)}"] if unknown else []
        problem += [f"missing: {', '.join(missing)}"] if missing else []
        raise InvalidValue(f"Arguments of step {step.interface}.{step.step}: {'; '.join(problem)}.")
    seconds = args.get("seconds") if step.step == "wait" else None
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0):
        raise InvalidValue("The step 'wait' takes whole seconds, 0 or more.")


def check_without_ramdisk(offered: Iterable[HardwareStep], asked: Iterable[Mapping[str, Any]]) -> None:
    """What can be told of named steps before any work begins; those unknown here may be somebody else's.

    Raises:
        InvalidValue: A step of the driver's that needs the ramdisk, which is not to be booted.
    """
    bound = {(str(step.interface), step.step) for step in offered if step.requires_ramdisk}
    for wish in asked:
        if (wish["interface"], wish["step"]) in bound and not wish.get("execute_on_child_nodes"):
            raise _needs_ramdisk(wish["interface"], wish["step"])


def _needs_ramdisk(interface: str, step: str) -> InvalidValue:
    return InvalidValue(f"The step {interface}.{step} needs the ramdisk.", hint="Leave disable_ramdisk out.")
