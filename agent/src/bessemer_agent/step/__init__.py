"""Steps of cleaning, deploying and servicing that run in the ramdisk.

A step is a function ``step(context, progress, *, node, ports, **args)``; the table says in which phases it
exists. Steps are carried by the one hardware manager there is, named as in ironic-python-agent.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from bessemer_agent.context import Context
from bessemer_agent.error import InvalidRequest, NotFound, VersionMismatch
from bessemer_agent.progress import Progress
from bessemer_agent.step.table import STEPS, Phase, Step
from bessemer_agent.version import AGENT_VERSION

HARDWARE_MANAGER = "generic_hardware_manager"


class Listing(NamedTuple):
    """The steps of a phase, in the service's words."""

    steps: dict[str, list[dict[str, object]]]
    versions: dict[str, str]


def list_steps(phase: Phase) -> Listing:
    """The steps of a phase by hardware manager, and the managers' versions."""
    steps = [_to_wire(step, step.priorities[phase]) for step in STEPS if phase in step.priorities]
    return Listing({HARDWARE_MANAGER: steps}, current_versions())


def current_versions() -> dict[str, str]:
    """The version that must not change between listing and executing steps."""
    return {HARDWARE_MANAGER: AGENT_VERSION}


def execute_step(
    phase: Phase,
    context: Context,
    progress: Progress,
    *,
    step: Mapping[str, Any],
    node: Mapping[str, Any],
    ports: Sequence[Mapping[str, Any]],
    version: Mapping[str, str] | None,
) -> object:
    """Run one step and give its result.

    Raises:
        VersionMismatch: ``version`` is not the present one.
        NotFound: There is no such step in this phase.
        InvalidRequest: Arguments are missing or unknown.
        AgentError: What the step raises.
    """
    if version and dict(version) != current_versions():
        raise VersionMismatch(f"listed with {dict(version)}, now it is {current_versions()}")
    context.node = node
    name = step.get("step")
    found = next((known for known in STEPS if known.name == name and phase in known.priorities), None)
    if found is None:
        raise NotFound(f"there is no {phase} step {name!r} in this ramdisk")
    args = _check_args(found, step.get("args") or {})
    module, _, function = found.function.rpartition(".")
    return getattr(import_module(f"bessemer_agent.step.{module}"), function)(
        context, progress, node=node, ports=ports, **args
    )


def _check_args(step: Step, args: object) -> dict[str, Any]:
    if not isinstance(args, Mapping):
        raise InvalidRequest(f"the arguments of step {step.name} must be an object")
    unknown = sorted(set(args) - set(step.args))
    if unknown:
        raise InvalidRequest(f"step {step.name} does not take {', '.join(unknown)}")
    missing = sorted(name for name, arg in step.args.items() if arg.is_required and args.get(name) is None)
    if missing:
        raise InvalidRequest(f"step {step.name} needs {', '.join(missing)}")
    return dict(args)


def _to_wire(step: Step, priority: int) -> dict[str, object]:
    return {
        "step": step.name,
        "priority": priority,
        "interface": step.interface,
        "reboot_requested": False,
        "abortable": step.is_abortable,
        "requires_ramdisk": True,
        "argsinfo": {
            name: {"description": arg.description, "required": arg.is_required}
            for name, arg in step.args.items()
        },
    }
