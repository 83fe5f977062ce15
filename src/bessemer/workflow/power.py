"""Power: bringing a machine to a state and seeing that it is there, as steps of other work."""

from collections.abc import Awaitable, Callable
from typing import Any

from bessemer.domain.node import label
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.engine.workflow import Done, OnInterrupt, Wait
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.kernel.error import BessemerError, Forbidden
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.task import NodeTask, open_task

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
    """Ask for ``target`` and show on the node where it is heading.

    Raises:
        Forbidden: The machine must not be switched off (``disable_power_off``).
    """
    await _ask(await open_task(context), target)


async def start(context: NodeContext) -> None:
    """Make the machine boot: switch it on, or reset one that must not be switched off."""
    await boot(await open_task(context))


async def boot(task: NodeTask) -> None:
    """As ``start``."""
    await _ask(task, PowerTarget.REBOOT if task.node.disable_power_off else PowerTarget.ON)


async def _ask(task: NodeTask, target: PowerTarget) -> None:
    if target.result is PowerState.OFF and task.node.disable_power_off:
        raise Forbidden(f"Node '{label(task.node)}' must not be switched off (disable_power_off).")
    if task.node.target_power_state != target.result:
        await task.save(target_power_state=target.result)
    await task.driver.power.request_power(task, target)


async def reached(context: NodeContext, state: PowerState, timeout_s: float) -> Done | Wait:
    """Done once the machine reports ``state``; the node's record says so from then on."""
    task = await open_task(context)
    found = await task.driver.power.get_power_state(task)
    if found != state:
        reason = f"the machine was asked to go to '{state}' and still reports '{found}'."
        return Wait(signal="power", timeout_s=timeout_s, poll_s=poll_s(context), reason=reason)
    shown = task.saving(power_state=found, target_power_state=None)
    return Done(detail=f"the machine reports '{found}'", also=shown)


def hard_off(name: str = "power off", **options: Any) -> NodeStep:
    """A step that switches the machine off, whatever it is doing. Idempotent.

    One that must not be switched off is left as it is: whoever boots it next resets it (see ``start``).
    """

    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        context.data["stays_on"] = task.node.disable_power_off
        if not task.node.disable_power_off:
            await _ask(task, PowerTarget.OFF)

    async def until(context: NodeContext) -> Done | Wait:
        if context.data.get("stays_on"):
            return Done(detail="the machine must not be switched off")
        timeout_s = context.deps.settings.conductor.power_state_change_timeout
        return await reached(context, PowerState.OFF, timeout_s)

    return NodeStep(name, run, OnInterrupt.IDEMPOTENT, until=patient(until), **options)


def switch_on(name: str = "power on", **options: Any) -> NodeStep:
    """A step that switches the machine on and waits until its BMC reports so. Idempotent."""

    async def until(context: NodeContext) -> Done | Wait:
        timeout_s = context.deps.settings.conductor.power_state_change_timeout
        return await reached(context, PowerState.ON, timeout_s)

    return NodeStep(name, start, OnInterrupt.IDEMPOTENT, until=patient(until), **options)
