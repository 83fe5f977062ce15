"""Commands of the ``clean`` extension."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.progress import Progress
from bessemer_agent.step import execute_step, list_steps
from bessemer_agent.step.table import Phase


def get_clean_steps(
    context: Context, progress: Progress, *, node: Mapping[str, Any], ports: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    """The clean steps of this ramdisk."""
    del progress, ports
    context.node = node
    listing = list_steps(Phase.CLEAN)
    return {"clean_steps": listing.steps, "hardware_manager_version": listing.versions}


def execute_clean_step(
    context: Context,
    progress: Progress,
    *,
    step: Mapping[str, Any],
    node: Mapping[str, Any],
    ports: Sequence[Mapping[str, Any]],
    clean_version: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Run one clean step.

    Raises:
        VersionMismatch, NotFound, InvalidRequest, AgentError: As :func:`~bessemer_agent.step.execute_step`.
    """
    result = execute_step(
        Phase.CLEAN, context, progress, step=step, node=node, ports=ports, version=clean_version
    )
    return {"clean_result": result, "clean_step": dict(step)}
