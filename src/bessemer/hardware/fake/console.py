"""A console that can be opened and closed and shows nothing."""

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, JsonObject, Task
from bessemer.kernel.error import Conflict

CONSOLE_KEY = "fake_console"


class FakeConsole(BareInterface):
    name = "fake"

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def start(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.CONSOLE, "start")
        await task.remember(**{CONSOLE_KEY: True})

    async def stop(self, task: Task) -> None:
        await self._behaviour.call(task, InterfaceType.CONSOLE, "stop")
        await task.remember(**{CONSOLE_KEY: None})

    async def get_console(self, task: Task) -> JsonObject:
        """Raises Conflict while the console is not started."""
        await self._behaviour.call(task, InterfaceType.CONSOLE, "get_console")
        if not task.node.driver_internal_info.get(CONSOLE_KEY):
            raise Conflict("The node's console is not started.")
        return {"type": "fake", "url": f"fake://{task.node.uuid}"}
