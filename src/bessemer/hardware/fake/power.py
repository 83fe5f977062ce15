"""A power supply that is a field of the node."""

from collections.abc import Sequence

from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, Task

#: The machine's true power state; the node's ``power_state`` is what the service believes of it.
POWER_KEY = "fake_power"


class FakePower(BareInterface):
    name = "fake"
    supports_sync = True

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def supported_targets(self, task: Task) -> Sequence[PowerTarget]:
        return tuple(PowerTarget)

    async def get_power_state(self, task: Task) -> PowerState:
        """The state last asked for; a machine never touched is as the node says, or off."""
        await self._behaviour.call(task, InterfaceType.POWER, "get_power_state")
        node = task.node
        return PowerState(node.driver_internal_info.get(POWER_KEY) or node.power_state or PowerState.OFF)

    async def request_power(self, task: Task, target: PowerTarget) -> None:
        await self._behaviour.call(task, InterfaceType.POWER, "request_power")
        await task.remember(**{POWER_KEY: target.result.value})
