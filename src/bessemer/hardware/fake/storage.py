"""Volumes that are connected by noting so."""

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, Task

STORAGE_KEY = "fake_volumes_attached"


class FakeStorage(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def should_write_image(self, task: Task) -> bool:
        return True

    async def attach_volumes(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.STORAGE, "attach_volumes")
        await task.remember(**{STORAGE_KEY: True})

    async def detach_volumes(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.STORAGE, "detach_volumes")
        await task.remember(**{STORAGE_KEY: None})
