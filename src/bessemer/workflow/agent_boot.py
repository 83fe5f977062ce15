"""Getting a machine into the agent's ramdisk, and out of it again: rows that several workflows share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bessemer.boot.capability import READ_AT
from bessemer.config.settings import Settings
from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.power import BootMode, PowerState, PowerTarget
from bessemer.engine.workflow import Done, OnInterrupt, Wait
from bessemer.hardware.interface import RamdiskBoot
from bessemer.kernel.clock import seconds_between, timestamp
from bessemer.kernel.error import DeviceError
from bessemer.kernel.ident import new_token
from bessemer.workflow import agent_command
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.power import Until, hard_off, patient, reached, start
from bessemer.workflow.task import NodeTask, open_task

#: What is known of a running ramdisk; wiped when it ends.
AGENT_FACTS = (
    "agent_url",
    "agent_version",
    "agent_last_heartbeat",
    "agent_secret_token",
    "agent_secret_token_pregenerated",
    "agent_verify_ca",
    "boot_key",
    READ_AT,
)
#: An agent told to power off that has not done so after this long is switched off.
FAREWELL_S = 20.0

Timeout = Callable[[Settings], int]

#: The rows between which a machine that boots is to boot the ramdisk.
_PREPARED, _CLEANED_UP = "prepare the agent's boot", "clean up the agent's boot"
#: The rows, in order, that restart the ramdisk: for plans that need a reboot in the middle.
RESTART = ("tear down the agent", "power off after the agent", _PREPARED, "boot the agent")
#: Those that start it on a machine that is off.
START = RESTART[2:]
#: Those that start it once more on a machine of which nothing is heard.
_ONCE_MORE = ("power off before the agent", *START)
#: Argument of a row that starts it once more: for how long the first start was waited for.
_WAITED = "waited_s"


def needs_agent(operation: Operation) -> bool:
    """Whether this operation works through the ramdisk; noted by the workflow's first step."""
    return bool(operation.data.get("needs_agent", True))


def is_in_ramdisk(operation: Operation) -> bool:
    """Whether the plan is between the preparation of the ramdisk's boot and its end."""
    behind = {item.step for item in operation.plan[: operation.position]}
    return needs_agent(operation) and _PREPARED in behind and _CLEANED_UP not in behind


async def forget_agent(task: NodeTask) -> None:
    await task.remember(**dict.fromkeys(AGENT_FACTS))


def into_agent(purpose: str, timeout: Timeout, until: Until | None = None) -> tuple[NodeStep, ...]:
    """Rows that take a machine from any state to a running agent on the ``purpose`` network.

    ``until`` says what is waited for instead of the agent's first sign of life, where that is something else.
    """

    async def attach(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.add_network(task, purpose)

    async def detach(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.remove_network(task, purpose)

    async def is_present(context: NodeContext) -> Done | Wait:
        return await _agent_is_present(context, timeout(context.deps.settings))

    return (
        hard_off("power off before the agent", when=needs_agent),
        NodeStep(f"attach {purpose} network", attach, OnInterrupt.IDEMPOTENT, undo=detach, when=needs_agent),
        NodeStep(
            _PREPARED,
            _prepare_boot,
            OnInterrupt.IDEMPOTENT,
            undo=_leave_safe,
            when=needs_agent,
        ),
        NodeStep(
            "boot the agent",
            _switch_on,
            OnInterrupt.IDEMPOTENT,
            until=until or is_present,
            undone_by=_PREPARED,
            when=needs_agent,
        ),
    )


def leave_nothing_behind(purpose: str) -> tuple[NodeStep, ...]:
    """Rows that take back what booted a ramdisk that has ended."""

    async def detach(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.remove_network(task, purpose)

    return (
        NodeStep(_CLEANED_UP, _clean_up_boot, OnInterrupt.IDEMPOTENT, when=needs_agent),
        NodeStep(f"detach {purpose} network", detach, OnInterrupt.IDEMPOTENT, when=needs_agent),
    )


def out_of_agent(purpose: str) -> tuple[NodeStep, ...]:
    """Rows that end the ramdisk cleanly: disks flushed, machine off, nothing of it left behind."""
    return (
        NodeStep(
            "tear down the agent", _say_farewell, OnInterrupt.IDEMPOTENT, until=_has_left, when=needs_agent
        ),
        hard_off("power off after the agent", when=needs_agent),
        *leave_nothing_behind(purpose),
    )


async def _prepare_boot(context: NodeContext) -> None:
    """A fresh token and boot URL each time: what an earlier ramdisk knew opens nothing any more."""
    context.data.pop("disks_flushed", None)
    task = await open_task(context)
    facts: dict[str, Any] = dict.fromkeys(AGENT_FACTS)
    await task.remember(
        **facts
        | {
            "agent_secret_token": new_token(),
            "agent_secret_token_pregenerated": True,
            "boot_key": new_token(),
        }
    )
    await context.deps.artefacts.prepare(task.node)
    iso_url = context.deps.artefacts.url_for(task.node, context.deps.base_url)
    mode = BootMode(task.node.boot_mode or context.deps.settings.deploy.default_boot_mode)
    await task.driver.boot.prepare_ramdisk(task, RamdiskBoot(iso_url=iso_url, boot_mode=mode))


async def _switch_on(context: NodeContext) -> None:
    """A ramdisk that has called back already is not reset again."""
    task = await open_task(context)
    if not task.node.driver_internal_info.get("agent_url"):
        await start(context)


async def _agent_is_present(context: NodeContext, timeout_s: int) -> Done | Wait:
    task = await open_task(context)
    facts = task.node.driver_internal_info
    if not facts.get("agent_url"):
        return await _still_absent(context, task, timeout_s)
    await task.save(power_state=PowerState.ON, target_power_state=None)
    return Done(detail=f"agent {facts.get('agent_version')} at {facts['agent_url']}")


async def _still_absent(context: NodeContext, task: NodeTask, timeout_s: int) -> Done | Wait:
    """Wait on. When no sign of a boot has come for a while, start the machine once more: firmware hangs, and
    virtual media are lost, now and then. Both starts together have ``timeout_s`` seconds.
    """
    before_s = float(context.item.args.get(_WAITED, 0))
    patience_s = context.deps.settings.deploy.boot_retry_after
    waited_s = seconds_between(context.step_started_at, timestamp(context.clock))
    is_last = bool(before_s) or not patience_s or 0 < timeout_s <= patience_s
    if not is_last and waited_s >= patience_s and not await _is_booting(task):
        what = "nothing has read its boot medium" if READ_AT not in _facts(task) else "the machine is off"
        return Done(
            detail=f"no sign of the agent in {waited_s:.0f} seconds, and {what}: it is started once more",
            # What a hardware step made boot goes on being its boot: a failure is that step's.
            insert=[
                PlanItem(step=name, args={**context.item.args, _WAITED: waited_s}) for name in _ONCE_MORE
            ],
        )
    return Wait(
        "agent",
        timeout_s=max(1, round(timeout_s - before_s)) if timeout_s else None,
        poll_s=None if is_last or waited_s >= patience_s else patience_s - waited_s,
        reason="the agent has not called back. Look at the machine's console; check that the BMC reached "
        "the boot ISO and that the machine's network reaches the API.",
    )


async def _is_booting(task: NodeTask) -> bool:
    """Whether the boot medium was read, and the machine is on as far as we know.

    A reading counts whenever it was: before the medium is inserted nothing is noted of it, and some BMCs
    fetch all of it then, before the machine is switched on.
    """
    if READ_AT not in _facts(task):
        return False
    try:
        return await task.driver.power.get_power_state(task) is not PowerState.OFF
    except DeviceError:
        return True


def _facts(task: NodeTask) -> dict[str, Any]:
    return task.node.driver_internal_info


async def _leave_safe(context: NodeContext) -> None:
    """Undo of the ramdisk boot: the machine off, its media and boot override taken back, the token dead.

    The node's record says what it is left at: power sync holds machines to that.
    """
    task = await open_task(context)
    power = task.driver.power
    is_off = context.deps.settings.deploy.power_off_after_deploy_failure and not task.node.disable_power_off
    if is_off:
        await power.request_power(task, PowerTarget.OFF)
        await task.save(power_state=PowerState.OFF, target_power_state=None)
    await task.driver.boot.clean_up_ramdisk(task)
    await forget_agent(task)
    if not is_off:
        await task.save(power_state=await power.get_power_state(task), target_power_state=None)


async def _say_farewell(context: NodeContext) -> None:
    """Flush the disks, then let the ramdisk power off by itself; silence is dealt with by the next row.

    Where a step has switched the machine off there is nobody to say farewell to.
    """
    if (await open_task(context)).node.power_state is PowerState.OFF:
        return
    if not context.data.get("disks_flushed"):
        await agent_command.run_at_once(context, "standby.sync", {})
        context.data["disks_flushed"] = True
        await context.save()
    task = await open_task(context)
    context.data["stays_on"] = task.node.disable_power_off
    # A ramdisk that goes on running must let nobody in any more. Source: agent API, system.lockdown.
    last_words = "system.lockdown" if task.node.disable_power_off else "standby.power_off"
    try:
        await context.deps.agents.execute(task.node, last_words, {})
    except DeviceError as error:
        context.data["farewell"] = str(error)


async def _has_left(context: NodeContext) -> Done | Wait:
    if context.data.get("stays_on"):
        return Done(detail="the machine must not be switched off; its ramdisk is locked down")
    outcome = await reached(context, PowerState.OFF, FAREWELL_S)
    waited_s = seconds_between(context.step_started_at, timestamp(context.clock))
    if isinstance(outcome, Done) or waited_s < FAREWELL_S:
        return outcome if isinstance(outcome, Done) else replace(outcome, timeout_s=None)
    return Done(detail="the ramdisk did not power off; the machine will be switched off")


async def _clean_up_boot(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.boot.clean_up_ramdisk(task)
    await forget_agent(task)


def patient_command(name: str, **options: Any) -> dict[str, Any]:
    """The faces of a step that runs one asynchronous agent command (see ``agent_command``)."""
    return {
        "on_interrupt": OnInterrupt.CHECK,
        "check": agent_command.was_started,
        "until": patient(agent_command.is_done, silence_s=agent_command.SILENCE_S),
        **options,
    }
