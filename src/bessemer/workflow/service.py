"""Service: work on a deployed machine, whose instance is back when it is done.

Arguments: ``service_steps``, in the order they run; ``disable_ramdisk``: without booting the agent.
"""

from collections.abc import Callable
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.provision import Event, ProvisionState
from bessemer.domain.step import StepKind
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.workflow import hardware_step
from bessemer.workflow.agent_boot import into_agent, needs_agent, out_of_agent
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.instance_boot import leave_instance, return_to_instance
from bessemer.workflow.projection import Projection
from bessemer.workflow.step_choice import chosen
from bessemer.workflow.step_work import check_step_work
from bessemer.workflow.undo_note import noting

STATES = frozenset({ProvisionState.SERVICING, ProvisionState.SERVICE_WAIT, ProvisionState.SERVICE_HOLD})


async def choose_steps(context: NodeContext) -> Done:
    """What will be done, put into the plan where everybody can see it."""
    offered = await hardware_step.collect(context, StepKind.SERVICE)
    args = context.operation.args
    has_ramdisk = not args.get("disable_ramdisk", False)
    steps = chosen(offered, args.get("service_steps") or (), has_ramdisk=has_ramdisk)
    return hardware_step.will_run(context, StepKind.SERVICE, steps)


def _timeout(settings: Settings) -> int:
    return settings.conductor.service_callback_timeout


def _broken(node: Node, operation: Operation) -> dict[str, Any]:
    """A machine whose step was cut short may be in any condition: a human looks first."""
    if operation.cancel_reason or not hardware_step.has_failed_in_step(operation):
        return {}
    return {
        "maintenance": True,
        "maintenance_reason": "Servicing failed; see last_error.",
        "fault": "service failure",
    }


def service(projection: Callable[..., Projection], gateway: Gateway) -> Workflow[Collaborators]:
    steps = (
        NodeStep("check settings", check_step_work, OnInterrupt.IDEMPOTENT, attempts=1),
        leave_instance(when=needs_agent, returns_if_aborted=True),
        *into_agent("servicing", _timeout),
        NodeStep("choose service steps", choose_steps, OnInterrupt.IDEMPOTENT),
        *out_of_agent("servicing"),
        *return_to_instance(needs_agent),
    )
    return Workflow(
        "service",
        steps=tuple(noting(step) for step in steps),
        extra=hardware_step.step_rows(StepKind.SERVICE, _timeout, gateway),
        on_change=projection(
            history="servicing",
            step_field="service_step",
            states=STATES,
            aborts_to=ProvisionState.ACTIVE,
            on_failure=_broken,
        ),
    )


def service_abort(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    """Give a machine whose servicing failed back to its instance: service failed -> active."""
    return Workflow(
        "service abort",
        steps=return_to_instance(),
        on_change=projection(
            history="servicing",
            states=frozenset({ProvisionState.SERVICE_FAILED}),
            done=lambda *_: Event.ABORT,
        ),
    )
