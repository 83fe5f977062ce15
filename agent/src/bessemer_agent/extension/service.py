"""Commands of the ``service`` extension."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.progress import Progress
from bessemer_agent.step import execute_step, list_steps
from bessemer_agent.step.table import Phase


def get_service_steps(
    context: Context, progress: Progress, *, node: Mapping[str, Any], ports: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    """The service steps of this ramdisk."""
    del progress, ports
    context.node = node
    listing = list_steps(Phase.SERVICE)
    return {"service_steps": listing.steps, "hardware_manager_version": listing.versions}


def execute_service_step(
    context: Context,
    progress: Progress,
    *,
    step: Mapping[str, Any],
    node: Mapping[str, Any],
    ports: Sequence[Mapping[str, Any]],
    service_version: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Run one service step.

    Raises:
        VersionMismatch, NotFound, InvalidRequest, AgentError: As :func:`~bessemer_agent.step.execute_step`.
    """
    result = execute_step(
        Phase.SERVICE, context, progress, step=step, node=node, ports=ports, version=service_version
    )
    return {"service_result": result, "service_step": dict(step)}
