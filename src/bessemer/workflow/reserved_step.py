"""Steps that every machine has: hold, wait, power on, power off, reboot.

While the ramdisk is at work, switching on means booting it and waiting for the agent: the steps behind may
need it. Source: v1 contract, steps.reserved_steps.
"""

from collections.abc import Sequence
from typing import Any

from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.power import PowerState
from bessemer.domain.provision import KINDS, StateKind
from bessemer.engine.workflow import Done, OnInterrupt, Wait
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.workflow.agent_boot import RESTART, START, Timeout, is_in_ramdisk
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.power import hard_off, switch_on
from bessemer.workflow.projection import HOLD
from bessemer.workflow.task import open_task

WAIT = "wait"
POWER = "power step"
_OFF = "switch off"
_ON = "switch on"


def reserved_rows(timeout: Timeout) -> tuple[NodeStep, ...]:
    """The rows behind these steps; ``timeout`` bounds the wait for a heartbeat."""
    return (
        NodeStep(HOLD, _nothing, OnInterrupt.IDEMPOTENT, until=_is_released),
        _wait_step(timeout),
        NodeStep(POWER, _decide, OnInterrupt.IDEMPOTENT),
        hard_off(_OFF),
        switch_on(_ON),
    )


def row_of(step: str) -> str:
    """The row that carries the reserved step out."""
    return step if step in (HOLD, WAIT) else POWER


def reboot_items(operation: Operation, args: dict[str, Any]) -> tuple[PlanItem, ...]:
    """Plan items that reboot the machine: into the agent, if it is at work there."""
    rows: Sequence[str] = RESTART if is_in_ramdisk(operation) else (_OFF, _ON)
    return tuple(PlanItem(step=row, args=args) for row in rows)


# --------------------------------------------------------------------------- hold and wait


async def _nothing(context: NodeContext) -> None:
    return None


async def _is_released(context: NodeContext) -> Done | Wait:
    """Held until the node's state says that somebody released it."""
    task = await open_task(context)
    is_first_look = context.operation.waiting_since is None
    if is_first_look or KINDS[task.node.provision_state] is StateKind.HOLD:
        return Wait("unhold", timeout_s=None, reason="held until somebody releases the node (unhold)")
    return Done(detail="released")


def _wait_step(timeout: Timeout) -> NodeStep:
    async def until(context: NodeContext) -> Done | Wait:
        seconds = context.item.args["hardware_step"].get("args", {}).get("seconds")
        if seconds is None:
            return await _next_heartbeat(context, timeout(context.deps.settings))
        return _time_has_passed(context, float(seconds))

    return NodeStep(WAIT, _nothing, OnInterrupt.IDEMPOTENT, until=until)


def _time_has_passed(context: NodeContext, seconds: float) -> Done | Wait:
    most_s = context.deps.settings.conductor.max_conductor_wait_step_seconds
    left_s = min(seconds, most_s) - seconds_between(context.step_started_at, timestamp(context.clock))
    if left_s <= 0:
        return Done()
    return Wait("time", timeout_s=None, poll_s=left_s, reason=f"waiting for {min(seconds, most_s):g} seconds")


async def _next_heartbeat(context: NodeContext, timeout_s: int) -> Done | Wait:
    task = await open_task(context)
    last = task.node.driver_internal_info.get("agent_last_heartbeat") or ""
    if last > context.step_started_at:
        return Done(detail="the agent is alive")
    return Wait("agent", timeout_s=timeout_s or None, reason="waiting for the agent's next heartbeat")


# --------------------------------------------------------------------------- power


async def _decide(context: NodeContext) -> Done:
    """What has to be done for the power step at hand, put into the plan behind it."""
    described = context.item.args["hardware_step"]
    task = await open_task(context)
    match described["step"]:
        case "power_off":
            rows: Sequence[str] = (_OFF,)
        case "reboot":
            return Done(insert=reboot_items(context.operation, dict(context.item.args)))
        case _ if await task.driver.power.get_power_state(task) is PowerState.ON:
            return Done(detail="the machine is on already")
        case _:
            rows = START if is_in_ramdisk(context.operation) else (_ON,)
    return Done(insert=tuple(PlanItem(step=row, args=dict(context.item.args)) for row in rows))
