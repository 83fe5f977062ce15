"""Commands of the ``deploy`` extension."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.progress import Progress
from bessemer_agent.step import execute_step, list_steps
from bessemer_agent.step.table import Phase


def get_deploy_steps(
    context: Context, progress: Progress, *, node: Mapping[str, Any], ports: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    """The deploy steps of this ramdisk."""
    del progress, ports
    context.node = node
    listing = list_steps(Phase.DEPLOY)
    return {"deploy_steps": listing.steps, "hardware_manager_version": listing.versions}


def execute_deploy_step(
    context: Context,
    progress: Progress,
    *,
    step: Mapping[str, Any],
    node: Mapping[str, Any],
    ports: Sequence[Mapping[str, Any]],
    deploy_version: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Run one deploy step.

    Raises:
        VersionMismatch, NotFound, InvalidRequest, AgentError: As :func:`~bessemer_agent.step.execute_step`.
    """
    result = execute_step(
        Phase.DEPLOY, context, progress, step=step, node=node, ports=ports, version=deploy_version
    )
    return {"deploy_result": result, "deploy_step": dict(step)}
