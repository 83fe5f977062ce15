"""Configuration steps of drivers and agents: collected, put into the plan, carried out.

A step of a driver runs here through its interface; a step of the agent's hardware managers runs in the
ramdisk. Where both offer the same step the driver's wins, because the operator chose that interface; only
those of the deploy interface, and of the raid interface ``agent``, are the agent's own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Done, OnInterrupt, Verdict, Wait
from bessemer.hardware.driver import Driver
from bessemer.kernel.error import InternalError
from bessemer.workflow import agent_command
from bessemer.workflow.agent_boot import Timeout, needs_agent
from bessemer.workflow.agent_command import VersionMismatch
from bessemer.workflow.agent_raid import is_agent_raid, note_result, prepare_request
from bessemer.workflow.child_step import ON_CHILDREN, on_children
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.power import patient
from bessemer.workflow.reading import READ_SETTINGS, read_settings
from bessemer.workflow.reserved_step import reboot_items, reserved_rows, row_of
from bessemer.workflow.step_choice import ChosenStep
from bessemer.workflow.task import open_task

#: Commands by which an agent lists and executes the steps of each kind.
_LIST = {kind: f"{kind.value}.get_{kind.value}_steps" for kind in StepKind}
_EXECUTE = {kind: f"{kind.value}.execute_{kind.value}_step" for kind in StepKind}
#: How often the steps are listed anew before an agent that keeps changing is given up.
_MOST_REFRESHES = 3


# --------------------------------------------------------------------------- collecting


async def collect(context: NodeContext, kind: StepKind) -> list[HardwareStep]:
    """Every step on offer for the node; which of them are the agent's is noted for the rows."""
    task = await open_task(context)
    offered = {step.key: step for step in driver_steps(task.driver, kind)}
    context.data["agent_steps"] = []
    if needs_agent(context.operation) and kind is not StepKind.VERIFY:
        params = agent_command.machine_facts(task)
        answer = await agent_command.run_at_once(context, _LIST[kind], params)
        ours = [step for step in _announced(answer, kind) if _is_the_agents(task.driver, step, offered)]
        raid = [step for step in ours if is_agent_raid(task.driver, step)]
        context.data["agent_steps"] = [list(step.key) for step in ours]
        context.data["agent_raid_args"] = {step.step: list(step.argsinfo) for step in raid}
        context.data["agent_versions"] = answer.get("hardware_manager_version", {})
        # The driver's description of RAID steps has arguments that the agent never sees.
        offered |= {step.key: step for step in ours if step not in raid or step.key not in offered}
    return list(offered.values())


def _is_the_agents(driver: Driver, step: HardwareStep, offered: Collection[Any]) -> bool:
    """Whether the agent carries out what it announces."""
    if step.interface is InterfaceType.RAID:
        return is_agent_raid(driver, step)
    return step.interface is InterfaceType.DEPLOY or step.key not in offered


def driver_steps(driver: Driver, kind: StepKind) -> Iterable[HardwareStep]:
    """What the interfaces of ``driver`` offer."""
    for _, interface in driver:
        yield from interface.steps(kind)


def _announced(answer: Mapping[str, Any], kind: StepKind) -> Iterable[HardwareStep]:
    """The agent's steps. Source: agent API, ``get_clean_steps``: a map of manager name to list of steps."""
    for steps in answer.get(f"{kind.value}_steps", {}).values():
        for step in steps:
            known = {key: value for key, value in step.items() if key in HardwareStep.__struct_fields__}
            known["argsinfo"] = known.get("argsinfo") or {}
            yield msgspec.convert(known, HardwareStep, strict=False)


# --------------------------------------------------------------------------- planning


def planned(context: NodeContext, kind: StepKind, steps: Iterable[ChosenStep]) -> tuple[PlanItem, ...]:
    """Plan items that carry out ``steps`` in the order given."""
    generation = context.data.get("generation", 0)
    return tuple(_item(kind, one, generation) for one in steps)


def will_run(context: NodeContext, kind: StepKind, steps: Sequence[ChosenStep]) -> Done:
    """The end of a step that chose others: they are in the plan, and the journal names them."""
    names = ", ".join(f"{one.step.interface}.{one.step.step}" for one in steps) or "nothing"
    return Done(detail=f"will run: {names}", insert=planned(context, kind, steps))


def _item(kind: StepKind, chosen: ChosenStep, generation: int) -> PlanItem:
    step = chosen.step
    args: dict[str, Any] = {"hardware_step": msgspec.to_builtins(step)}
    if generation:
        args["generation"] = generation
    title = f"{step.interface}.{step.step}"
    if chosen.children is not None:
        return PlanItem(ON_CHILDREN, {**args, "children": list(chosen.children)}, f"{title} on child nodes")
    if chosen.is_reserved:
        return PlanItem(row_of(step.step), args, step.step)
    is_abortable = step.abortable and kind is not StepKind.VERIFY
    return PlanItem(_row(kind, is_abortable=is_abortable), args, title)


def _row(kind: StepKind, *, is_abortable: bool) -> str:
    return f"{kind.value} step" if is_abortable else f"{kind.value} step, not to be aborted"


# --------------------------------------------------------------------------- carrying out


def has_failed_in_step(operation: Operation) -> bool:
    """Whether it was a hardware step that failed, and not what comes before the first or after the last."""
    failed = operation.error.step if operation.error else ""
    return any("hardware_step" in item.args and failed in (item.title, item.step) for item in operation.plan)


def step_rows(kind: StepKind, timeout: Timeout, gateway: Gateway, refresh: str = "") -> tuple[NodeStep, ...]:
    """Every row that planned steps of ``kind`` need, besides those of the agent's boot.

    ``timeout`` bounds waits for the agent. ``refresh`` is the row that chooses the steps anew when the
    agent says that they have changed; without it that is a failure.
    """
    return (
        _carry_out(kind, refresh, is_abortable=True),
        _carry_out(kind, refresh, is_abortable=False),
        *reserved_rows(timeout),
        on_children(gateway, kind),
        read_settings(),
    )


def carry_out_here(kind: StepKind) -> NodeStep:
    """The row for workflows without a ramdisk whose steps nobody aborts."""
    return replace(_carry_out(kind, "", is_abortable=False), undone_by="")


def _carry_out(kind: StepKind, refresh: str, *, is_abortable: bool) -> NodeStep:
    """The row that runs one hardware step, wherever it lives."""

    async def run(context: NodeContext) -> None:
        step, task = _current(context), await open_task(context)
        if _is_agents(context, step):
            facts = agent_command.machine_facts(task)
            if is_agent_raid(task.driver, step):
                known = context.data["agent_raid_args"].get(step.step, ())
                step, asked = await prepare_request(task, step, known)
                context.data["raid_asked"] = facts["node"]["target_raid_config"] = asked
            params = facts | {
                "step": msgspec.to_builtins(step),
                f"{kind.value}_version": context.data.get("agent_versions") or {},
            }
            await agent_command.start(context, _EXECUTE[kind], params)
            return
        progress = await task.driver.get(step.interface).execute(task, step)
        context.data["driver_step_done"] = progress is None

    async def until(context: NodeContext) -> Done | Wait:
        step = _current(context)
        if not _is_agents(context, step):
            return await _driver_outcome(context, step)
        try:
            outcome = await agent_command.is_done(context)
        except VersionMismatch as error:
            return _choose_again(context, refresh, error)
        if isinstance(outcome, Wait):
            return outcome
        task = await open_task(context)
        if is_agent_raid(task.driver, step):
            await note_result(context, task, step, _told(context, "result"))
            context.data.pop("raid_asked", None)
        return _after(context, step)

    async def check(context: NodeContext) -> Verdict:
        if _is_agents(context, _current(context)):
            return await agent_command.was_started(context)
        return Verdict.ABSENT

    return NodeStep(
        _row(kind, is_abortable=is_abortable),
        run,
        OnInterrupt.CHECK,
        check=check,
        until=patient(until, silence_s=agent_command.SILENCE_S),
        undone_by="the machine's next cleaning",
        when=_is_current,
        attempts=1,
        is_abortable=is_abortable,
    )


async def _driver_outcome(context: NodeContext, step: HardwareStep) -> Done | Wait:
    if context.data.pop("driver_step_done", False):
        return _after(context, step)
    task = await open_task(context)
    progress = await task.driver.get(step.interface).poll(task, step)
    if progress is None:
        return _after(context, step)
    await context.report(progress.percent, progress.text)
    return Wait("agent", timeout_s=None, poll_s=progress.poll_s, reason=progress.text)


def _after(context: NodeContext, step: HardwareStep) -> Done:
    """What a completed step asks for: a reboot, and looking anew at what it may have changed."""
    if context.operation.kind == "verify":
        return Done()
    args = dict(context.item.args)
    told = _told(context, "step")
    context.data.pop("command_result", None)
    is_told = isinstance(told, dict) and bool(told.get("reboot_requested"))
    items: tuple[PlanItem, ...] = ()
    if step.reboot_requested or is_told:
        items += reboot_items(context.operation, args)
    if step.interface in (InterfaceType.BIOS, InterfaceType.FIRMWARE):
        items += (PlanItem(READ_SETTINGS),)
    return Done(insert=items)


def _told(context: NodeContext, what: str) -> Any:
    """What the agent's command gave back: the ``result`` of the step, or the ``step`` as it is by now."""
    result = context.data.get("command_result")
    return result.get(f"{_kind_of(context)}_{what}") if isinstance(result, dict) else None


def _kind_of(context: NodeContext) -> str:
    return context.item.step.partition(" ")[0]


def _choose_again(context: NodeContext, refresh: str, error: VersionMismatch) -> Done:
    """The steps planned so far are of the past (``_is_current``); those chosen now take their place."""
    generation = context.data.get("generation", 0) + 1
    if not refresh or not context.operation.args.get("automated") or generation > _MOST_REFRESHES:
        raise error
    context.data["generation"] = generation
    return Done(detail="the agent's steps have changed; they are chosen anew", insert=(PlanItem(refresh),))


def _is_current(operation: Operation) -> bool:
    chosen_in = operation.plan[operation.position].args.get("generation", 0)
    return bool(chosen_in == operation.data.get("generation", 0))


def _current(context: NodeContext) -> HardwareStep:
    described = context.item.args.get("hardware_step")
    if described is None:
        raise InternalError("the plan names a hardware step without saying which")
    return msgspec.convert(described, HardwareStep)


def _is_agents(context: NodeContext, step: HardwareStep) -> bool:
    return list(step.key) in context.data.get("agent_steps", [])
