"""Configuration steps of drivers and agents: collected, put in order, inserted into the plan, carried out.

A step of a driver runs here through its interface; a step of the agent's hardware managers runs in the
ramdisk. Where both offer the same step the agent's wins, because it is there to see the machine.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.domain.operation import PlanItem
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.engine.workflow import Done, OnInterrupt, Verdict, Wait
from bessemer.hardware.agent.client import CommandFailed
from bessemer.kernel.error import InternalError, InvalidValue
from bessemer.workflow import agent_command
from bessemer.workflow.agent_boot import needs_agent
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.power import patient
from bessemer.workflow.task import NodeTask, open_task

#: Commands by which an agent lists and executes the steps of each kind.
_LIST = {kind: f"{kind.value}.get_{kind.value}_steps" for kind in StepKind}
_EXECUTE = {kind: f"{kind.value}.execute_{kind.value}_step" for kind in StepKind}


async def collect(context: NodeContext, kind: StepKind) -> list[HardwareStep]:
    """Every step on offer for the node; which of them are the agent's is noted for ``carry_out``."""
    task = await open_task(context)
    offered = {step.key: step for step in _driver_steps(task, kind)}
    context.data["agent_steps"] = []
    if needs_agent(context.operation):
        params = agent_command.machine_facts(task)
        answer = await agent_command.run_at_once(context, _LIST[kind], params)
        ours = {step.key: step for step in _announced(answer, kind)}
        context.data["agent_steps"] = [list(key) for key in ours]
        context.data["agent_versions"] = answer.get("hardware_manager_version", {})
        offered |= ours
    return list(offered.values())


def _driver_steps(task: NodeTask, kind: StepKind) -> Iterable[HardwareStep]:
    for interface in InterfaceType:
        yield from task.driver.get(interface).steps(kind)


def _announced(answer: Mapping[str, Any], kind: StepKind) -> Iterable[HardwareStep]:
    """The agent's steps. Source: agent API, ``get_clean_steps``: a map of manager name to list of steps."""
    for steps in answer.get(f"{kind.value}_steps", {}).values():
        for step in steps:
            known = {key: value for key, value in step.items() if key in HardwareStep.__struct_fields__}
            known["argsinfo"] = known.get("argsinfo") or {}
            yield msgspec.convert(known, HardwareStep, strict=False)


def overridden(steps: Iterable[HardwareStep], priorities: Mapping[str, int | None]) -> list[HardwareStep]:
    """The steps with the operator's priorities (by step name) in place of their own."""
    changed = []
    for step in steps:
        wanted = priorities.get(step.step)
        changed.append(step if wanted is None else msgspec.structs.replace(step, priority=wanted))
    return changed


def chosen(offered: Iterable[HardwareStep], asked: Iterable[Mapping[str, Any]]) -> list[HardwareStep]:
    """The steps a user named, in the user's order and with the user's arguments.

    Raises:
        InvalidValue: A step that neither the driver nor the agent offers, or an unknown or missing argument.
    """
    by_key = {(str(step.interface), step.step): step for step in offered}
    found = []
    for wish in asked:
        step = by_key.get((wish["interface"], wish["step"]))
        if step is None:
            names = ", ".join(sorted(f"{i}.{s}" for i, s in by_key)) or "none"
            wanted = f"{wish['interface']}.{wish['step']}"
            raise InvalidValue(f"There is no step {wanted} on this node.", hint=f"On offer: {names}.")
        args = dict(wish.get("args") or {})
        _check_args(step, args)
        found.append(
            msgspec.structs.replace(step, args=args, priority=int(wish.get("priority", step.priority)))
        )
    return found


def _check_args(step: HardwareStep, args: Mapping[str, Any]) -> None:
    unknown = sorted(set(args) - set(step.argsinfo))
    needed = {name for name, info in step.argsinfo.items() if (info or {}).get("required")}
    missing = sorted(needed - set(args))
    if unknown or missing:
        problem = [f"unknown: {', '.join(unknown)}"] if unknown else []
        problem += [f"missing: {', '.join(missing)}"] if missing else []
        raise InvalidValue(f"Arguments of step {step.interface}.{step.step}: {'; '.join(problem)}.")


def planned(step_name: str, steps: Iterable[HardwareStep]) -> tuple[PlanItem, ...]:
    """Plan items that carry out ``steps`` in the order given."""
    return tuple(
        PlanItem(
            step=step_name,
            args={"hardware_step": msgspec.to_builtins(step)},
            title=f"{step.interface}.{step.step}",
        )
        for step in steps
    )


def carry_out(name: str, kind: StepKind) -> NodeStep:
    """The row that runs one hardware step, wherever it lives."""

    async def run(context: NodeContext) -> None:
        step = _current(context)
        if _is_agents(context, step):
            task = await open_task(context)
            params = agent_command.machine_facts(task) | {
                "step": msgspec.to_builtins(step),
                f"{kind.value}_version": context.data.get("agent_versions") or {},
            }
            await agent_command.start(context, _EXECUTE[kind], params)
            return
        task = await open_task(context)
        progress = await task.driver.get(step.interface).execute(task, step)
        context.data["driver_step_done"] = progress is None

    async def until(context: NodeContext) -> Done | Wait:
        step = _current(context)
        if _is_agents(context, step):
            return await agent_command.is_done(context)
        if context.data.pop("driver_step_done", False):
            return Done()
        task = await open_task(context)
        progress = await task.driver.get(step.interface).poll(task, step)
        if progress is None:
            return Done()
        await context.report(progress.percent, progress.text)
        return Wait("agent", timeout_s=None, poll_s=progress.poll_s, reason=progress.text)

    async def check(context: NodeContext) -> Verdict:
        step = _current(context)
        if _is_agents(context, step):
            return await agent_command.was_started(context)
        return Verdict.ABSENT

    return NodeStep(
        name,
        run,
        OnInterrupt.CHECK,
        check=check,
        until=patient(until, silence_s=agent_command.SILENCE_S),
        undone_by="the machine's next cleaning",
        attempts=1,
    )


def _current(context: NodeContext) -> HardwareStep:
    described = context.item.args.get("hardware_step")
    if described is None:
        raise InternalError("the plan names a hardware step without saying which")
    return msgspec.convert(described, HardwareStep)


def _is_agents(context: NodeContext, step: HardwareStep) -> bool:
    return list(step.key) in context.data.get("agent_steps", [])


__all__ = ["CommandFailed", "carry_out", "chosen", "collect", "overridden", "planned"]
