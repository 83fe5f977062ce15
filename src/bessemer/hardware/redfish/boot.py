"""``redfish-virtual-media``: the machine boots the agent from a CD image that its BMC fetches from us."""

from collections.abc import Mapping

from bessemer.config.settings import ConductorSettings
from bessemer.domain.power import BootDevice
from bessemer.hardware.interface import RamdiskBoot, Task
from bessemer.hardware.redfish import boot_override
from bessemer.hardware.redfish.access import PROPERTIES
from bessemer.hardware.redfish.base import RedfishInterface
from bessemer.hardware.redfish.management import INSERT_S
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.hardware.redfish.virtual_media import choose_drive, read_media
from bessemer.kernel.error import InvalidValue

_BOOT_PROPERTIES: Mapping[str, str] = {
    "deploy_iso": "Ready-made ISO of the agent. Optional; else one is built from kernel and ramdisk.",
    "deploy_kernel": "Agent kernel. Required unless deploy_iso or the configuration has one.",
    "deploy_ramdisk": "Agent ramdisk. Required unless deploy_iso or the configuration has one.",
    "rescue_iso": "Ready-made ISO of the rescue ramdisk. Optional.",
    "rescue_kernel": "Kernel of the rescue ramdisk. Optional.",
    "rescue_ramdisk": "Rescue ramdisk. Optional.",
    "bootloader": "Image of an EFI system partition to build the ISO with. Optional.",
    "external_http_url": "Base URL by which the BMC reaches our boot files. Optional.",
    "kernel_append_params": "Further kernel parameters; %default% stands for the configured ones. Optional.",
    "config_via_removable": "Put the configuration onto a second removable device. Optional.",
}


class RedfishVirtualMediaBoot(RedfishInterface):
    name = "redfish-virtual-media"

    def __init__(self, pool: BmcPool, conductor: ConductorSettings) -> None:
        super().__init__(pool)
        self._conductor = conductor

    def properties(self) -> Mapping[str, str]:
        return {**PROPERTIES, **_BOOT_PROPERTIES}

    def validate(self, task: Task) -> None:
        """Raises InvalidValue also when there is nothing to boot the agent from."""
        super().validate(task)
        info = task.node.driver_info
        for key in _BOOT_PROPERTIES:
            if key != "config_via_removable" and not isinstance(info.get(key, ""), str):
                raise InvalidValue(f"driver_info {key} must be text.")
        if info.get("deploy_iso"):
            return
        for key in ("deploy_kernel", "deploy_ramdisk"):
            if not (info.get(key) or getattr(self._conductor, key)):
                raise InvalidValue(
                    f"The node has no {key}.",
                    hint=f"Set [conductor]{key}, or deploy_iso or {key} in driver_info.",
                )

    async def prepare_ramdisk(self, task: Task, boot: RamdiskBoot) -> None:
        """Insert the ISO, then set the override: some BMCs have no CD to boot from before that."""
        system = await self._system(task)
        drive = choose_drive(await read_media(system), "cdrom")
        await drive.insert(boot.iso_url, timeout_s=INSERT_S)
        mode = boot.boot_mode if system.boot_mode is not None else None
        await boot_override.override(system, BootDevice.CDROM, persistent=False, mode=mode)

    async def clean_up_ramdisk(self, task: Task) -> None:
        system = await self._system(task)
        await _eject(system)
        device, _ = boot_override.boot_device_of(system)
        if device is BootDevice.CDROM:
            await boot_override.disable(system)

    async def prepare_instance(self, task: Task) -> None:
        """Boot from disk from now on; where that cannot be said, in the firmware's own order."""
        system = await self._system(task)
        await _eject(system)
        if boot_override.can_stay_on(system, BootDevice.DISK):
            await boot_override.override(system, BootDevice.DISK, persistent=True)
        else:
            await boot_override.disable(system)

    async def clean_up_instance(self, task: Task) -> None:
        await _eject(await self._system(task))


async def _eject(system: ComputerSystem) -> None:
    await choose_drive(await read_media(system), "cdrom").eject()
