"""Commands carried out by the agent in the ramdisk: started once, even across a crash of ours.

The agent runs one command at a time and keeps a list of all it was given. Before a command is sent, the ones
already there are noted durably; after an interruption a command that was not there before is the one we sent.
"""

from typing import Any

import msgspec

from bessemer.engine.workflow import Done, Verdict, Wait
from bessemer.hardware.agent.client import CommandFailed, CommandResult
from bessemer.hardware.interface import Task
from bessemer.kernel.error import DeviceError
from bessemer.workflow.collaborators import NodeContext
from bessemer.workflow.power import poll_s
from bessemer.workflow.task import open_task

#: The agent's hardware managers are not those whose steps were listed.
_MISMATCH = "VERSION_MISMATCH"
#: A running command may be silent for this long (an agent busy with disks answers late).
SILENCE_S = 300.0


#: Parts of ``instance_info`` that agents do not need as facts.
_NOT_FOR_AGENTS = ("configdrive", "rescue_password", "hashed_rescue_password")


class VersionMismatch(CommandFailed):
    """The steps have to be listed again: the agent's hardware managers have changed since."""


def machine_facts(task: Task) -> dict[str, Any]:
    """The node and its ports in the form that agent commands take."""
    return {
        "node": {
            "uuid": task.node.uuid,
            "properties": task.node.properties,
            "instance_info": {
                key: value for key, value in task.node.instance_info.items() if key not in _NOT_FOR_AGENTS
            },
            "driver_internal_info": {
                key: value
                for key, value in task.node.driver_internal_info.items()
                if key not in ("agent_secret_token", "boot_key")
            },
            "target_raid_config": task.node.target_raid_config,
            "raid_config": task.node.raid_config,
        },
        "ports": [msgspec.to_builtins(port) for port in task.ports],
    }


async def start(context: NodeContext, name: str, params: dict[str, Any]) -> None:
    """Send the command, having noted which ones the agent already knows."""
    task = await open_task(context)
    known = await context.deps.agents.list_commands(task.node)
    context.data["known_commands"] = [command.id for command in known]
    context.data.pop("command", None)
    await context.save()
    result = await context.deps.agents.execute(task.node, name, params)
    context.data["command"] = result.id


async def was_started(context: NodeContext) -> Verdict:
    """Whether the command that an interrupted step was about to send has reached the agent."""
    if "known_commands" not in context.data:
        return Verdict.ABSENT
    task = await open_task(context)
    known = set(context.data["known_commands"])
    new = [c.id for c in await context.deps.agents.list_commands(task.node) if c.id not in known]
    if not new:
        return Verdict.ABSENT
    context.data["command"] = new[-1]
    return Verdict.HAPPENED


async def is_done(context: NodeContext) -> Done | Wait:
    """Follow the command: report its progress while it runs, fail with the agent's own words."""
    task = await open_task(context)
    result = await context.deps.agents.get_command(task.node, context.data["command"])
    if result.status == "RUNNING":
        await _report(context, result)
        pause_s = poll_s(context, context.deps.settings.agent.poll_interval)
        return Wait("agent", timeout_s=None, poll_s=pause_s, reason="the agent's command is running")
    if result.status.endswith(_MISMATCH):
        raise VersionMismatch(_failure(result))
    if result.status != "SUCCEEDED":
        raise CommandFailed(_failure(result))
    await context.report(100.0, "done")
    context.data["command_result"] = result.result
    # The command's id stays: whoever cannot write down its end looks at it again.
    context.data.pop("known_commands", None)
    return Done()


async def run_at_once(context: NodeContext, name: str, params: dict[str, Any]) -> Any:
    """Run a command that answers in the same call, and give its result."""
    task = await open_task(context)
    result = await context.deps.agents.execute(task.node, name, params, wait=True)
    if result.status != "SUCCEEDED":
        raise CommandFailed(_failure(result))
    return result.result


async def _report(context: NodeContext, result: CommandResult) -> None:
    progress = result.progress or {}
    percent = progress.get("percent")
    await context.report(percent, str(progress.get("phase") or result.name))


def _failure(result: CommandResult) -> str:
    """What the agent says: what kind of thing went wrong, and the particulars, once each."""
    error = result.error or {}
    message, details = str(error.get("message") or ""), str(error.get("details") or "")
    told = message if details in message else f"{message} {details}".strip()
    return f"the agent's command {result.name} ended as {result.status}: {told or 'no reason given'}"


__all__ = [
    "SILENCE_S",
    "DeviceError",
    "VersionMismatch",
    "is_done",
    "machine_facts",
    "run_at_once",
    "start",
    "was_started",
]
