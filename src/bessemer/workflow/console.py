"""The operation "console": start or stop a node's console. Argument: ``enabled`` (a boolean)."""

from collections.abc import Callable

from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task


async def set_console(context: NodeContext) -> None:
    """Idempotent. Where the console cannot be started the node says that it is not."""
    task = await open_task(context)
    console = task.driver.console
    console.validate(task)
    enabled = bool(context.operation.args["enabled"])
    await (console.start(task) if enabled else console.stop(task))
    await task.save(console_enabled=enabled)


def console(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "console",
        steps=(NodeStep("set console", set_console, OnInterrupt.IDEMPOTENT),),
        on_change=projection(history="console"),
    )
