"""The steps of a deployment besides its own: from the request, from deploy templates, from drivers and agent.

A step runs where its priority puts it among the core steps (image 80, boot 60, end of the ramdisk 40, tenant
network 30, booting 20). Core steps stay where they are; priority 0 switches one off. What comes before
``deploy`` (100) is done by drivers before the ramdisk is booted. Source: v1 contract, steps.deploy_steps.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from bessemer.domain.deploy_template import DeployTemplate, chosen_steps
from bessemer.domain.interface import InterfaceType
from bessemer.domain.operation import Operation, PlanItem
from bessemer.domain.step import HardwareStep, StepKind, in_order
from bessemer.engine.workflow import Done, OnInterrupt
from bessemer.hardware.interface import DeployInterface
from bessemer.store.deploy_template import list_deploy_templates_for
from bessemer.workflow import hardware_step
from bessemer.workflow.agent_boot import needs_agent
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.step_choice import ChosenStep, chosen
from bessemer.workflow.task import NodeTask, open_task

#: The priorities of the core steps that boot the ramdisk, and that leave our networks.
_BOOT, _TENANT = 100, 30


async def choose_ahead(context: NodeContext, task: NodeTask) -> tuple[PlanItem, ...]:
    """Note what is wanted; plan what is done before the ramdisk is there, or all where there is none.

    Raises:
        InvalidValue: Two deploy templates name the same step; wrong arguments of a driver's step.
    """
    traits = task.node.instance_info.get("traits") or []
    templates: list[DeployTemplate] = []
    if traits:
        async with context.deps.database.read() as tx:
            templates = await list_deploy_templates_for(tx, traits)
    wished = chosen_steps(templates, context.operation.args.get("deploy_steps") or [])
    context.data["wished_steps"] = wished
    core = _core(task.driver.deploy)
    context.data["disabled_core"] = [
        wish["step"] for wish in wished if _is_core(wish, core) and wish["priority"] == 0
    ]
    context.data["needs_agent"] = task.driver.deploy.needs_agent and is_enabled("deploy")(context.operation)
    offered = list(hardware_step.driver_steps(task.driver, StepKind.DEPLOY))
    every = _merged(offered, wished, core, unknown_is_ignored=True)
    least = _BOOT + 1 if context.data["needs_agent"] else _TENANT
    ahead = [one for one in every if one.step.priority >= least]
    context.data["done_ahead"] = [list(one.step.key) for one in ahead]
    _note(context, [one for one in every if one.step.priority < least])
    return hardware_step.planned(context, StepKind.DEPLOY, ahead)


async def choose_steps(context: NodeContext) -> Done:
    """With the agent there, everything on offer is known. Raises InvalidValue for a step nobody offers."""
    offered = await hardware_step.collect(context, StepKind.DEPLOY)
    core = _core((await open_task(context)).driver.deploy)
    every = _merged(offered, context.data["wished_steps"], core, unknown_is_ignored=False)
    ahead = context.data.get("done_ahead", [])
    every = [one for one in every if list(one.step.key) not in ahead]
    _note(context, every)
    return Done(detail=f"{len(every)} steps besides the core steps")


def _core(deploy: DeployInterface) -> frozenset[str]:
    """Core steps that rows of ours stand for; those of an interface without an agent are its own."""
    return frozenset(deploy.core_steps) if deploy.needs_agent else frozenset()


def _is_core(wish: dict[str, Any], core: frozenset[str]) -> bool:
    return wish["interface"] == InterfaceType.DEPLOY and wish["step"] in core


def _merged(
    offered: Iterable[HardwareStep],
    wished: Iterable[dict[str, Any]],
    core: frozenset[str],
    *,
    unknown_is_ignored: bool,
) -> list[ChosenStep]:
    """What is wished for, and what runs by itself because nobody wished otherwise; first to last."""
    asked = [wish for wish in wished if not _is_core(wish, core)]
    wanted = chosen(offered, asked, unknown_is_ignored=unknown_is_ignored)
    by_key = {step.key: step for step in offered} | {one.step.key: one.step for one in wanted}
    return [
        ChosenStep(step)
        for step in in_order(StepKind.DEPLOY, by_key.values())
        if not (step.interface is InterfaceType.DEPLOY and step.step in core)
    ]


def _note(context: NodeContext, steps: Iterable[ChosenStep]) -> None:
    context.data["extra_steps"] = [msgspec.to_builtins(one.step) for one in steps]


def is_enabled(core_step: str) -> Callable[[Operation], bool]:
    """Whether nobody has switched this core step off."""
    return lambda operation: core_step not in operation.data.get("disabled_core", [])


def by_agent(core_step: str) -> Callable[[Operation], bool]:
    """Whether the ramdisk is there and this core step is not switched off."""
    enabled = is_enabled(core_step)
    return lambda operation: needs_agent(operation) and enabled(operation)


def steps_from(low: int, below: int | None = None) -> NodeStep:
    """A row that puts the steps of priority ``low`` up to under ``below`` here, in order."""

    def is_here(priority: int) -> bool:
        return priority >= low and (below is None or priority < below)

    async def run(context: NodeContext) -> Done:
        every = [msgspec.convert(step, HardwareStep) for step in context.data.get("extra_steps", [])]
        here = [ChosenStep(step) for step in every if is_here(step.priority)]
        return Done(insert=hardware_step.planned(context, StepKind.DEPLOY, here))

    def is_any(operation: Operation) -> bool:
        return any(is_here(step["priority"]) for step in operation.data.get("extra_steps", []))

    name = f"deploy steps from priority {low}" if below is None else f"deploy steps {below - 1} to {low}"
    return NodeStep(name, run, OnInterrupt.IDEMPOTENT, when=is_any)
