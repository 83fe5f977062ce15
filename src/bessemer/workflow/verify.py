"""Verify: can this machine be controlled with what the operator told us? Enroll -> manageable."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from bessemer.domain.provision import ProvisionState
from bessemer.domain.step import StepKind, in_order
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.kernel.error import Unsupported
from bessemer.store.database import Transaction
from bessemer.store.duty import EVENTS, hasten_duty
from bessemer.workflow import hardware_step
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.reading import look_up_settings
from bessemer.workflow.step_choice import ChosenStep, overridden, read_priorities
from bessemer.workflow.task import open_task

T = TypeVar("T")


async def check_settings(context: NodeContext) -> None:
    """The node's power and management settings are complete and well formed."""
    task = await open_task(context)
    task.driver.power.validate(task)
    task.driver.management.validate(task)


async def read_power_state(context: NodeContext) -> None:
    """The BMC answers and says whether the machine is on."""
    task = await open_task(context)
    await task.save(power_state=await task.driver.power.get_power_state(task))


async def read_identity(context: NodeContext) -> Done:
    """What the BMC says of the machine that later work builds on: vendor, boot mode, health, settings."""
    task = await open_task(context)
    management = task.driver.management
    found = {
        "boot_mode": await _or_none(management.get_boot_mode(task)),
        "secure_boot": await _or_none(management.get_secure_boot(task)),
        "health": await _or_none(management.get_health(task)),
    }
    changes: dict[str, Any] = {field: value for field, value in found.items() if value is not None}
    vendor = await _or_none(management.detect_vendor(task))
    if vendor:
        changes["properties"] = {**task.node.properties, "vendor": vendor}
    if changes:
        await task.save(**changes)
    read = await look_up_settings(task)
    steps = await _chosen_steps(context)

    async def keep(tx: Transaction) -> None:
        if read.also is not None:
            await read.also(tx)
        if context.deps.settings.redfish.event_subscriptions:
            # From now on there is somebody to tell us of changes.
            await hasten_duty(tx, EVENTS, task.node.uuid)

    return replace(read, insert=hardware_step.planned(context, StepKind.VERIFY, steps), also=keep)


async def _or_none(question: Awaitable[T]) -> T | None:
    """The answer, or None from machines that cannot be asked."""
    try:
        return await question
    except Unsupported:
        return None


async def _chosen_steps(context: NodeContext) -> list[ChosenStep]:
    """What drivers want looked at before the machine counts as manageable."""
    offered = await hardware_step.collect(context, StepKind.VERIFY)
    priorities = read_priorities(context.deps.settings.conductor.verify_step_priority_override)
    return [ChosenStep(step) for step in in_order(StepKind.VERIFY, overridden(offered, priorities))]


def verify(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "verify",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            NodeStep("read power state", read_power_state, OnInterrupt.IDEMPOTENT),
            NodeStep("read identity", read_identity, OnInterrupt.IDEMPOTENT),
        ),
        extra=(hardware_step.carry_out_here(StepKind.VERIFY),),
        on_change=projection(history="verifying", states=frozenset({ProvisionState.VERIFYING})),
    )
