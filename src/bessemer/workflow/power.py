"""Power: bringing a machine to a state and seeing that it is there; as steps, and as a workflow."""

from collections.abc import Awaitable, Callable
from typing import Any

from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.engine.workflow import Done, OnInterrupt, Wait, Workflow
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.kernel.error import BessemerError
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task

#: First look, and the longest pause between looks, while something is expected to happen.
SOON_S = 0.2
POLL_S = 2.0
#: How long a device may stay silent while we merely look at it, before the wait is given up.
SILENCE_S = 120.0

Until = Callable[[NodeContext], Awaitable[Done | Wait]]


def patient(until: Until, *, silence_s: float = SILENCE_S, poll_s: float = 5.0) -> Until:
    """``until``, forgiving a device that does not answer for a while: looking again is always safe."""

    async def looks_again(context: NodeContext) -> Done | Wait:
        try:
            outcome = await until(context)
        except BessemerError as error:
            if not error.retry:
                raise
            since = context.data.setdefault("silent_since", timestamp(context.clock))
            if seconds_between(since, timestamp(context.clock)) > silence_s:
                raise
            return Wait(signal="agent", timeout_s=None, poll_s=poll_s, reason=str(error))
        context.data.pop("silent_since", None)
        return outcome

    return looks_again


def poll_s(context: NodeContext, most_s: float = POLL_S) -> float:
    """The pause before the next look: short at first, then a quarter of the time waited so far."""
    waited_s = seconds_between(context.step_started_at, timestamp(context.clock))
    return min(most_s, max(SOON_S, waited_s / 4))


async def request(context: NodeContext, target: PowerTarget) -> None:
    """Ask for ``target`` and show on the node where it is heading."""
    task = await open_task(context)
    if task.node.target_power_state != target.result:
        await task.save(target_power_state=target.result)
    await task.driver.power.request_power(task, target)


async def reached(context: NodeContext, state: PowerState, timeout_s: float) -> Done | Wait:
    """Done once the machine reports ``state``; the node's record then says so too."""
    task = await open_task(context)
    found = await task.driver.power.get_power_state(task)
    if found != state:
        reason = f"the machine was asked to go to '{state}' and still reports '{found}'."
        return Wait(signal="power", timeout_s=timeout_s, poll_s=poll_s(context), reason=reason)
    await task.save(power_state=found, target_power_state=None)
    return Done(detail=f"the machine reports '{found}'")


def hard_off(name: str = "power off", **options: Any) -> NodeStep:
    """A step that switches the machine off, whatever it is doing. Idempotent."""

    async def run(context: NodeContext) -> None:
        await request(context, PowerTarget.OFF)

    async def until(context: NodeContext) -> Done | Wait:
        timeout_s = context.deps.settings.conductor.power_state_change_timeout
        return await reached(context, PowerState.OFF, timeout_s)

    return NodeStep(name, run, OnInterrupt.IDEMPOTENT, until=patient(until), **options)


def switch_on(name: str = "power on", **options: Any) -> NodeStep:
    """A step that switches the machine on and waits until its BMC reports so. Idempotent."""

    async def run(context: NodeContext) -> None:
        await request(context, PowerTarget.ON)

    async def until(context: NodeContext) -> Done | Wait:
        timeout_s = context.deps.settings.conductor.power_state_change_timeout
        return await reached(context, PowerState.ON, timeout_s)

    return NodeStep(name, run, OnInterrupt.IDEMPOTENT, until=patient(until), **options)


# --------------------------------------------------------------------------- the workflow "power"


def _target(operation: Operation) -> PowerTarget:
    return PowerTarget(operation.args["target"])


def _goes_off(operation: Operation) -> bool:
    return _target(operation) is not PowerTarget.ON


def _ends_on(operation: Operation) -> bool:
    return _target(operation).result is PowerState.ON


def _timeout_s(context: NodeContext) -> float:
    asked = context.operation.args.get("timeout")
    if asked is not None:
        return float(asked)
    settings = context.deps.settings.conductor
    is_soft = _target(context.operation).is_soft
    return settings.soft_power_off_timeout if is_soft else settings.power_state_change_timeout


async def _switch_off(context: NodeContext) -> None:
    is_soft = _target(context.operation).is_soft
    await request(context, PowerTarget.SOFT_OFF if is_soft else PowerTarget.OFF)


async def _is_off(context: NodeContext) -> Done | Wait:
    return await reached(context, PowerState.OFF, _timeout_s(context))


async def _switch_on(context: NodeContext) -> None:
    await request(context, PowerTarget.ON)


async def _is_on(context: NodeContext) -> Done | Wait:
    return await reached(context, PowerState.ON, _timeout_s(context))


def _settled(node: Node, operation: Operation) -> dict[str, Any]:
    """The ramdisk, if one was running, is gone after a power change: forget it."""
    facts = {key: value for key, value in node.driver_internal_info.items() if not key.startswith("agent_")}
    gone = node.driver_internal_info if _target(operation) is PowerTarget.ON else facts
    return {"target_power_state": None, "driver_internal_info": gone}


def power(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    """Bring the machine to the target in ``args``; a reboot is off, then on, so that it can be resumed."""
    return Workflow(
        "power",
        steps=(
            NodeStep(
                "power off", _switch_off, OnInterrupt.IDEMPOTENT, until=patient(_is_off), when=_goes_off
            ),
            NodeStep("power on", _switch_on, OnInterrupt.IDEMPOTENT, until=patient(_is_on), when=_ends_on),
        ),
        on_change=projection(
            history="power",
            on_success=_settled,
            on_failure=lambda node, operation: {"target_power_state": None},
        ),
    )
