"""The operations "boot mode" and "secure boot": how the firmware boots from now on.

Arguments: ``mode`` (a ``BootMode``); ``enabled`` (a boolean). Both may need a reboot to show; the node's
record says what the machine reports, or what it was told where it does not report.
"""

from collections.abc import Callable
from typing import Any

from bessemer.domain.power import BootMode
from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.kernel.error import Unsupported
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task


async def set_boot_mode(context: NodeContext) -> None:
    """Raises Unsupported for a mode that the machine does not have."""
    task = await open_task(context)
    management, mode = task.driver.management, BootMode(context.operation.args["mode"])
    management.validate(task)
    supported = management.supported_boot_modes(task)
    if mode not in supported:
        raise Unsupported(
            f"The boot mode '{mode}' is not supported.", hint=f"Supported: {', '.join(supported)}."
        )
    if await management.get_boot_mode(task) != mode:
        await management.set_boot_mode(task, mode)
    await task.save(boot_mode=mode.value)


async def set_secure_boot(context: NodeContext) -> None:
    task = await open_task(context)
    management, enabled = task.driver.management, bool(context.operation.args["enabled"])
    management.validate(task)
    if await management.get_secure_boot(task) is not enabled:
        await management.set_secure_boot(task, enabled=enabled)
    await task.save(secure_boot=enabled)


def _one_step(projection: Callable[..., Projection], kind: str, step: Any) -> Workflow[Collaborators]:
    return Workflow(
        kind,
        steps=(NodeStep(f"set {kind}", step, OnInterrupt.IDEMPOTENT),),
        on_change=projection(history=kind),
    )


def boot_mode(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return _one_step(projection, "boot mode", set_boot_mode)


def secure_boot(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return _one_step(projection, "secure boot", set_secure_boot)
