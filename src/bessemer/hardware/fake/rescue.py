"""A rescue without a ramdisk."""

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, Task

RESCUE_KEY = "fake_rescue"


class FakeRescue(BareInterface):
    name = "fake"
    needs_agent = False

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def rescue(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.RESCUE, "rescue")
        await task.remember(**{RESCUE_KEY: True})

    async def unrescue(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.RESCUE, "unrescue")
        await task.remember(**{RESCUE_KEY: None})

    async def clean_up(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.RESCUE, "clean_up")
        if RESCUE_KEY in task.node.driver_internal_info:
            await task.remember(**{RESCUE_KEY: None})
