"""Adopt: take over a machine on which an instance runs already. Its power is left alone."""

from collections.abc import Callable

from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import Done, OnInterrupt, Workflow
from bessemer.image.source import validate_instance
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.reading import look_up_settings
from bessemer.workflow.task import open_task


async def check_settings(context: NodeContext) -> Done:
    """Everything a rebuild would need is there: an adopted instance is one like any other."""
    task = await open_task(context)
    driver = task.driver
    for interface in (driver.power, driver.management, driver.network, driver.deploy, driver.storage):
        interface.validate(task)
    if driver.deploy.needs_agent:
        driver.boot.validate(task)
        context.deps.artefacts.validate(task.node)
        validate_instance(task.node, context.deps.settings)
    if task.node.last_error is not None:
        await task.save(last_error=None)
    return await look_up_settings(task)


async def read_power_state(context: NodeContext) -> None:
    task = await open_task(context)
    await task.save(power_state=await task.driver.power.get_power_state(task))


async def take_over(context: NodeContext) -> None:
    """From now on the machine boots what it is adopted with."""
    task = await open_task(context)
    await task.driver.boot.prepare_instance(task)


def adopt(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "adopt",
        steps=(
            NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
            NodeStep("read power state", read_power_state, OnInterrupt.IDEMPOTENT),
            NodeStep("take over boot", take_over, OnInterrupt.IDEMPOTENT),
        ),
        on_change=projection(history="adoption", states=frozenset({ProvisionState.ADOPTING})),
    )
