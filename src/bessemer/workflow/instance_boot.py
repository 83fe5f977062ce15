"""The machine in its instance's hands: booting from its disk on its tenant's networks, and leaving them."""

from collections.abc import Callable
from typing import Any

from bessemer.domain.operation import Operation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.engine.workflow import Done, OnInterrupt, Wait
from bessemer.workflow.cancel_reason import ABORTED
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.power import boot, patient, reached
from bessemer.workflow.task import open_task

When = Callable[[Operation], bool]


def always(operation: Operation) -> bool:
    return True


def boot_from_disk(when: When = always) -> NodeStep:
    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.boot.prepare_instance(task)

    return NodeStep("boot from disk", run, OnInterrupt.IDEMPOTENT, when=when)


def switch_to_tenant_network(when: When = always) -> NodeStep:
    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.configure_tenant_networks(task)

    async def undo(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.unconfigure_tenant_networks(task)

    return NodeStep("switch to tenant network", run, OnInterrupt.IDEMPOTENT, undo=undo, when=when)


def boot_instance(when: When = always) -> NodeStep:
    """The machine runs its instance; its volumes are there before it does."""

    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.storage.attach_volumes(task)
        await boot(task)

    async def until(context: NodeContext) -> Done | Wait:
        timeout_s = context.deps.settings.conductor.power_state_change_timeout
        return await reached(context, PowerState.ON, timeout_s)

    return NodeStep("boot the instance", run, OnInterrupt.IDEMPOTENT, until=patient(until), when=when)


def leave_instance(*, when: When = always, returns_if_aborted: bool = False) -> NodeStep:
    """Take the machine off its tenant's networks.

    ``returns_if_aborted``: when a user ends the work that follows, the machine goes back to its instance.
    After a failure it does not: a human looks first.
    """

    async def run(context: NodeContext) -> None:
        task = await open_task(context)
        await task.driver.network.unconfigure_tenant_networks(task)

    async def undo(context: NodeContext) -> None:
        if context.operation.cancel_reason == ABORTED:
            await _go_back(context)

    options: dict[str, Any] = {"undo": undo} if returns_if_aborted else {}
    return NodeStep("leave the tenant network", run, OnInterrupt.IDEMPOTENT, when=when, **options)


async def _go_back(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.boot.prepare_instance(task)
    await task.driver.network.configure_tenant_networks(task)
    await task.driver.power.request_power(task, PowerTarget.ON)
    await task.save(power_state=await task.driver.power.get_power_state(task), target_power_state=None)


def return_to_instance(when: When = always) -> tuple[NodeStep, ...]:
    """Rows that boot a machine into the instance that is on its disk."""
    return (boot_from_disk(when), switch_to_tenant_network(when), boot_instance(when))
