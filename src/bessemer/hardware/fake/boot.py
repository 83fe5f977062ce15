"""Boot preparations that are remembered and nothing else."""

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, RamdiskBoot, Task

#: What the machine would boot: ``{"from": "ramdisk", "boot_mode": ...}`` or ``{"from": "disk"}``.
BOOT_KEY = "fake_boot"


class FakeBoot(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def prepare_ramdisk(self, task: Task, boot: RamdiskBoot) -> None:
        await self._behaviour.call(task, InterfaceType.BOOT, "prepare_ramdisk")
        await task.remember(**{BOOT_KEY: {"from": "ramdisk", "boot_mode": boot.boot_mode.value}})

    async def clean_up_ramdisk(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.BOOT, "clean_up_ramdisk")
        if task.node.driver_internal_info.get(BOOT_KEY, {}).get("from") == "ramdisk":
            await task.remember(**{BOOT_KEY: None})

    async def prepare_instance(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.BOOT, "prepare_instance")
        await task.remember(**{BOOT_KEY: {"from": "disk"}})

    async def clean_up_instance(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.BOOT, "clean_up_instance")
        await task.remember(**{BOOT_KEY: None})
