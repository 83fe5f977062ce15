"""Rescue: a deployed machine runs a ramdisk that its user can log in to; and back to its instance.

The password's hash is in ``instance_info.hashed_rescue_password`` from the request until the end, whichever
it is. Source: v1 contract, rescue; agent API, ``rescue.finalize_rescue``.
"""

from collections.abc import Callable
from typing import Any

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import Operation
from bessemer.domain.provision import ProvisionState
from bessemer.engine.workflow import OnInterrupt, Workflow
from bessemer.hardware.agent.client import CommandFailed
from bessemer.kernel.error import InvalidValue
from bessemer.workflow import agent_command
from bessemer.workflow.agent_boot import AGENT_FACTS, forget_agent, into_agent, needs_agent
from bessemer.workflow.cancel_reason import ABORTED
from bessemer.workflow.collaborators import Collaborators, NodeContext, NodeStep
from bessemer.workflow.instance_boot import leave_instance, return_to_instance, switch_to_tenant_network
from bessemer.workflow.power import hard_off
from bessemer.workflow.projection import Projection
from bessemer.workflow.task import open_task
from bessemer.workflow.undo_note import is_taken_back, noting

PASSWORD_KEY = "hashed_rescue_password"  # noqa: S105  the name of the field, not the password
_PASSWORDS = (PASSWORD_KEY, "rescue_password")


def _timeout(settings: Settings) -> int:
    return settings.conductor.rescue_callback_timeout


async def check_settings(context: NodeContext) -> None:
    task = await open_task(context)
    for interface in (task.driver.power, task.driver.management, task.driver.network, task.driver.rescue):
        interface.validate(task)
    context.data["needs_agent"] = task.driver.rescue.needs_agent
    if not task.node.instance_info.get(PASSWORD_KEY):
        raise InvalidValue("There is no rescue password.", hint="Ask for the rescue again, with one.")
    if context.data["needs_agent"]:
        task.driver.boot.validate(task)
        context.deps.artefacts.validate(task.node)
    await task.save(last_error=None)


async def rescue_by_driver(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.rescue.rescue(task)


async def clean_up_by_driver(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.rescue.clean_up(task)


async def set_password(context: NodeContext) -> None:
    """Hand the hash over. The agent sets it, moves to the tenant's network and ends; its ramdisk stays."""
    task = await open_task(context)
    known = await context.deps.agents.list_commands(task.node)
    context.data["known_commands"] = [command.id for command in known]
    await context.save()
    params = {"rescue_password": task.node.instance_info[PASSWORD_KEY], "hashed": True}
    result = await context.deps.agents.execute(task.node, "rescue.finalize_rescue", params, wait=True)
    if result.status != "SUCCEEDED":
        error = result.error or {}
        words = error.get("details") or error.get("message") or "no reason given"
        raise CommandFailed(f"the agent did not take the rescue password: {words}")


async def leave_rescuing_network(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.network.remove_network(task, "rescuing")


async def forget(context: NodeContext) -> None:
    """From here on the ramdisk is its user's: what it knew opens nothing here any more."""
    await forget_agent(await open_task(context))


def _no_password(node: Node, operation: Operation) -> dict[str, Any]:
    info = {key: value for key, value in node.instance_info.items() if key not in _PASSWORDS}
    return {"instance_info": info}


def _not_rescued(node: Node, operation: Operation) -> dict[str, Any]:
    fields = _no_password(node, operation)
    if operation.cancel_reason == ABORTED and not is_taken_back(operation):
        fields |= {
            "maintenance": True,
            "maintenance_reason": "An aborted rescue could not be cleaned up; see last_error.",
            "fault": "rescue abort failure",
        }
    return fields


def _by_driver(operation: Operation) -> bool:
    return not needs_agent(operation)


def rescue(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    steps = (
        NodeStep("check settings", check_settings, OnInterrupt.IDEMPOTENT, attempts=1),
        leave_instance(),
        *into_agent("rescuing", _timeout),
        NodeStep(
            "set the rescue password",
            set_password,
            OnInterrupt.CHECK,
            check=agent_command.was_started,
            when=needs_agent,
        ),
        NodeStep(
            "leave the rescuing network", leave_rescuing_network, OnInterrupt.IDEMPOTENT, when=needs_agent
        ),
        switch_to_tenant_network(needs_agent),
        NodeStep("forget the agent", forget, OnInterrupt.IDEMPOTENT, when=needs_agent),
        NodeStep(
            "rescue by the driver",
            rescue_by_driver,
            OnInterrupt.IDEMPOTENT,
            undo=clean_up_by_driver,
            when=_by_driver,
        ),
    )
    return Workflow(
        "rescue",
        steps=tuple(noting(step) for step in steps),
        on_change=projection(
            history="rescue",
            states=frozenset({ProvisionState.RESCUING, ProvisionState.RESCUE_WAIT}),
            on_success=_no_password,
            on_failure=_not_rescued,
        ),
    )


# --------------------------------------------------------------------------- and back


async def unrescue_by_driver(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.rescue.unrescue(task)


async def clean_up_ramdisk(context: NodeContext) -> None:
    task = await open_task(context)
    await task.driver.boot.clean_up_ramdisk(task)
    await task.driver.network.remove_network(task, "rescuing")


def _without_agent(node: Node, operation: Operation) -> dict[str, Any]:
    facts = {key: value for key, value in node.driver_internal_info.items() if key not in AGENT_FACTS}
    return {**_no_password(node, operation), "driver_internal_info": facts}


def unrescue(projection: Callable[..., Projection]) -> Workflow[Collaborators]:
    return Workflow(
        "unrescue",
        steps=(
            hard_off("power off the rescue ramdisk"),
            NodeStep("unrescue by the driver", unrescue_by_driver, OnInterrupt.IDEMPOTENT),
            NodeStep("clean up the ramdisk", clean_up_ramdisk, OnInterrupt.IDEMPOTENT),
            *return_to_instance(),
        ),
        on_change=projection(
            history="rescue",
            states=frozenset({ProvisionState.UNRESCUING}),
            on_success=_without_agent,
        ),
    )
