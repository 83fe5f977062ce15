"""A RAID controller that makes whatever it is asked for."""

from collections.abc import Mapping, Sequence

from bessemer.domain.interface import InterfaceType
from bessemer.domain.raid import check_raid_config
from bessemer.domain.step import HardwareStep, StepKind
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, InProgress, JsonObject, Task
from bessemer.hardware.logical_disk import LOGICAL_DISK_PROPERTIES
from bessemer.kernel.clock import Clock, timestamp
from bessemer.kernel.error import InvalidValue

_FLAGS: JsonObject = {
    "create_root_volume": {"description": "Create the root volume (default true)."},
    "create_nonroot_volumes": {"description": "Create the other volumes (default true)."},
    "delete_existing": {"description": "Delete existing volumes first (default true)."},
}
_CONFIG: JsonObject = {"raid_config": {"description": "The logical disks to create.", "required": True}}


class FakeRaid(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour, clock: Clock) -> None:
        self._behaviour = behaviour
        self._clock = clock

    def steps(self, kind: StepKind) -> Sequence[HardwareStep]:
        if kind is StepKind.CLEAN:
            return (
                HardwareStep(interface=InterfaceType.RAID, step="create_configuration", argsinfo=_FLAGS),
                HardwareStep(interface=InterfaceType.RAID, step="delete_configuration"),
            )
        if kind in (StepKind.DEPLOY, StepKind.SERVICE):
            args = {**_CONFIG, **_FLAGS}
            return (HardwareStep(interface=InterfaceType.RAID, step="apply_configuration", argsinfo=args),)
        return ()

    def logical_disk_properties(self) -> Mapping[str, str]:
        return LOGICAL_DISK_PROPERTIES

    def validate_raid_config(self, task: Task, config: JsonObject) -> None:
        check_raid_config(config)

    async def execute(self, task: Task, step: HardwareStep) -> InProgress | None:
        """Raises InvalidValue when there is nothing to create or it cannot be created."""
        if step.step == "delete_configuration":
            await task.save(raid_config={})
        elif step.step == "create_configuration":
            await self._create(task, task.node.target_raid_config, step.args)
        elif step.step == "apply_configuration":
            await self._create(task, step.args.get("raid_config") or {}, step.args)
        else:
            return await super().execute(task, step)
        return await self._behaviour.start_step(task, step)

    async def poll(self, task: Task, step: HardwareStep) -> InProgress | None:
        return self._behaviour.poll_step(task)

    async def _create(self, task: Task, config: JsonObject, args: JsonObject) -> None:
        if not config.get("logical_disks"):
            raise InvalidValue(
                "The node has no target RAID configuration.", hint="Set target_raid_config first."
            )
        check_raid_config(config)
        wanted = [disk for disk in config["logical_disks"] if _is_wanted(disk, args)]
        keeps = not args.get("delete_existing", True)
        present = list(task.node.raid_config.get("logical_disks", [])) if keeps else []
        made = [
            {**disk, "volume_id": f"fake-{number}"} for number, disk in enumerate(wanted, len(present) + 1)
        ]
        await task.save(
            raid_config={"logical_disks": present + made, "last_updated": timestamp(self._clock)},
            target_raid_config=config,
        )


def _is_wanted(disk: JsonObject, args: JsonObject) -> bool:
    flag = "create_root_volume" if disk.get("is_root_volume") else "create_nonroot_volumes"
    return bool(args.get(flag, True))
