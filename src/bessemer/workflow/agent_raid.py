"""RAID made by the agent: what it is asked for, and what is noted of what it made.

Source: v1 contract, raid (target_raid_config, raid_config); agent API, steps of interface ``raid``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.domain.raid import check_raid_config
from bessemer.domain.step import HardwareStep
from bessemer.hardware.driver import Driver
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import InvalidValue
from bessemer.workflow.collaborators import NodeContext
from bessemer.workflow.task import NodeTask

JsonObject = dict[str, Any]

#: The raid interface whose steps the agent carries out.
_NAME = "agent"
#: Arguments that say which of the target's disks are meant; the agent gets the disks.
_FILTERS = frozenset({"create_root_volume", "create_nonroot_volumes"})


def is_agent_raid(driver: Driver, step: HardwareStep) -> bool:
    return step.interface is InterfaceType.RAID and driver.raid.name == _NAME


async def prepare_request(
    task: NodeTask, step: HardwareStep, known_args: Sequence[str]
) -> tuple[HardwareStep, JsonObject]:
    """The step as the agent takes it (``known_args`` are those it announced), and the disks it is to make.

    Raises:
        InvalidValue: Nothing is to be created, or it cannot be.
    """
    target = dict(task.node.target_raid_config)
    if step.step == "apply_configuration":
        target = dict(step.args.get("raid_config") or {})
    if step.step == "delete_configuration":
        return step, target
    wanted = [disk for disk in target.get("logical_disks", ()) if _is_wanted(disk, step.args)]
    if not wanted:
        raise InvalidValue("There is no logical disk to create.", hint="Set target_raid_config first.")
    config = {**target, "logical_disks": wanted}
    check_raid_config(config)
    task.driver.raid.validate_raid_config(task, config)
    if step.step == "apply_configuration":
        await task.save(target_raid_config=target)
    args = {name: value for name, value in step.args.items() if name in known_args and name not in _FILTERS}
    return msgspec.structs.replace(step, args=args), config


def _is_wanted(disk: Mapping[str, Any], args: Mapping[str, Any]) -> bool:
    flag = "create_root_volume" if disk.get("is_root_volume") else "create_nonroot_volumes"
    return bool(args.get(flag, True))


async def note_result(context: NodeContext, task: NodeTask, step: HardwareStep, told: object) -> None:
    """Show on the node what the agent made. What it does not describe is taken for what was asked of it."""
    if step.step == "delete_configuration":
        await task.save(raid_config={})
        return
    config = told if isinstance(told, dict) and told.get("logical_disks") else context.data["raid_asked"]
    await task.save(raid_config={**config, "last_updated": timestamp(context.clock)})
