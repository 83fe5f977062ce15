"""``agent`` RAID: arrays that the ramdisk makes of a machine's disks, for machines without a controller.

The steps are the agent's: it carries them out (``workflow.agent_raid``), and one without them is refused.
Source: v1 contract, raid interface ``agent``; software RAID in the agent.
"""

from collections.abc import Mapping, Sequence

from bessemer.domain.interface import InterfaceType
from bessemer.domain.raid import check_raid_config, check_software_raid, is_software
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.interface import BareInterface, InProgress, JsonObject, Task
from bessemer.hardware.logical_disk import LOGICAL_DISK_PROPERTIES
from bessemer.kernel.error import Unsupported

_CREATE: JsonObject = {
    "create_root_volume": {"description": "Create the root volume (default true)."},
    "create_nonroot_volumes": {"description": "Create the other volumes (default true)."},
    "delete_existing": {"description": "Delete existing arrays first (default false)."},
}
_APPLY: JsonObject = {
    "raid_config": {"description": "The logical disks to create.", "required": True},
    "delete_existing": {"description": "Delete existing arrays first (default true)."},
}


class AgentRaid(BareInterface):
    name = "agent"

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        create = HardwareStep(interface=InterfaceType.RAID, step="create_configuration", argsinfo=_CREATE)
        delete = HardwareStep(interface=InterfaceType.RAID, step="delete_configuration")
        apply = HardwareStep(interface=InterfaceType.RAID, step="apply_configuration", argsinfo=_APPLY)
        of_kind = {
            StepKind.CLEAN: (create, delete),
            StepKind.DEPLOY: (apply,),
            StepKind.SERVICE: (apply, create, delete),
        }
        return of_kind.get(kind, ())

    def logical_disk_properties(self) -> Mapping[str, str]:
        return LOGICAL_DISK_PROPERTIES

    def validate_raid_config(self, task: Task, config: JsonObject) -> None:
        """Controllers other than the software are for hardware managers of the agent's to judge."""
        if is_software(config):
            check_software_raid(config)
        else:
            check_raid_config(config)

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        """Only called when the agent has no such step."""
        raise Unsupported(
            f"The ramdisk of this node has no step raid.{step.step}.",
            hint="Use a ramdisk with software RAID, or another raid interface.",
        )
