"""What cleaning and servicing begin with: the settings of work that consists of hardware steps."""

from bessemer.engine.workflow import Done
from bessemer.workflow.collaborators import NodeContext
from bessemer.workflow.reading import look_up_settings
from bessemer.workflow.task import open_task


async def check_step_work(context: NodeContext) -> Done:
    """Everything that can be known to be wrong is found first; notes whether the ramdisk is needed."""
    task = await open_task(context)
    for interface in (task.driver.power, task.driver.management, task.driver.network, task.driver.deploy):
        interface.validate(task)
    wants_ramdisk = not context.operation.args.get("disable_ramdisk", False)
    context.data["needs_agent"] = task.driver.deploy.needs_agent and wants_ramdisk
    if context.data["needs_agent"]:
        task.driver.boot.validate(task)
        context.deps.artefacts.validate(task.node)
    if task.node.last_error is not None:
        await task.save(last_error=None)
    return await look_up_settings(task)
