"""The operation "vendor passthru": a vendor's method that its caller does not wait for.

Arguments: ``method``, ``http_method``, ``args``. It is not repeated after an interruption. How it ended
shows in the node's ``last_error`` and history.
"""

from collections.abc import Callable

from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task

#: Such methods update firmware and the like.
_TIMEOUT_S = 1800.0


async def call_vendor(context: NodeContext) -> None:
    args = context.operation.args
    task = await open_task(context)
    await task.driver.vendor.call(task, args["method"], args["http_method"], args["args"])


def vendor_passthru(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    step = NodeStep("call vendor method", call_vendor, OnInterrupt.ASK, timeout_s=_TIMEOUT_S, attempts=1)
    return Workflow("vendor passthru", steps=(step,), on_change=projection(history="vendor passthru"))
