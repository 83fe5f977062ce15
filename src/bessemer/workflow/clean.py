"""Clean: nothing of the former user is left, and the machine is as its operator wants it.

Automated cleaning runs what drivers and agent announce, by priority; manual cleaning runs what the operator
named (``clean_steps`` in the arguments; ``disable_ramdisk``: without booting the agent).
"""

from collections.abc import Callable
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.provision import Event, ProvisionState
from bessemer.domain.step import StepKind, in_order
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.workflow import hardware_step
from bessemer.workflow.agent_boot import into_agent, out_of_agent
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.step_choice import ChosenStep, chosen, clean_priorities, overridden
from bessemer.workflow.step_work import check_step_work

STATES = frozenset({ProvisionState.CLEANING, ProvisionState.CLEAN_WAIT, ProvisionState.CLEAN_HOLD})
CHOOSE = "choose clean steps"


async def choose_steps(context: NodeContext) -> Done:
    """What will be done, put into the plan where everybody can see it."""
    offered = await hardware_step.collect(context, StepKind.CLEAN)
    args = context.operation.args
    if args.get("automated"):
        priorities = clean_priorities(context.deps.settings)
        steps = [ChosenStep(step) for step in in_order(StepKind.CLEAN, overridden(offered, priorities))]
    else:
        has_ramdisk = not args.get("disable_ramdisk", False)
        steps = chosen(offered, args.get("clean_steps") or (), has_ramdisk=has_ramdisk)
    return hardware_step.will_run(context, StepKind.CLEAN, steps)


def _timeout(settings: Settings) -> int:
    return settings.conductor.clean_callback_timeout


def _is_manual(operation: Operation) -> bool:
    return not operation.args.get("automated")


def _makes_available(node: Node, operation: Operation) -> bool:
    return not _is_manual(operation) and not node.retired


def _broken(node: Node, operation: Operation) -> dict[str, Any]:
    """A machine whose step was cut short may be in any condition: a human looks first.

    Where no step had begun nothing was done to it. Source: Ironic 39, cleaning that fails before a step.
    """
    if operation.cancel_reason or not hardware_step.has_failed_in_step(operation):
        return {}
    return {
        "maintenance": True,
        "maintenance_reason": "Cleaning failed; see last_error.",
        "fault": "clean failure",
    }


def clean(projection: Callable[..., Projection], gateway: Gateway) -> Workflow[Collaborators]:
    return Workflow(
        "clean",
        pool="clean",
        steps=(
            NodeStep("check settings", check_step_work, OnInterrupt.IDEMPOTENT, attempts=1),
            *into_agent("cleaning", _timeout),
            NodeStep(CHOOSE, choose_steps, OnInterrupt.IDEMPOTENT),
            *out_of_agent("cleaning"),
        ),
        extra=hardware_step.step_rows(StepKind.CLEAN, _timeout, gateway, refresh=CHOOSE),
        on_change=projection(
            history="cleaning",
            step_field="clean_step",
            states=STATES,
            done=lambda node, operation: Event.DONE if _makes_available(node, operation) else Event.MANAGE,
            heading=lambda operation: ProvisionState.MANAGEABLE if _is_manual(operation) else None,
            on_failure=_broken,
        ),
    )
