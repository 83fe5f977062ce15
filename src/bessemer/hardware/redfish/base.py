"""What all Redfish interfaces share: the settings they read and the way to the machine."""

from collections.abc import Mapping

from bessemer.hardware.interface import BareInterface, Task
from bessemer.hardware.redfish.access import PROPERTIES, read_access
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.system import ComputerSystem, read_system


class RedfishInterface(BareInterface):
    name = "redfish"

    def __init__(self, pool: BmcPool) -> None:
        self._pool = pool

    def properties(self) -> Mapping[str, str]:
        return PROPERTIES

    def validate(self, task: Task) -> None:
        read_access(task.node, self._pool.settings)

    async def _system(self, task: Task) -> ComputerSystem:
        """The node's system as it is now."""
        access = read_access(task.node, self._pool.settings)
        return await read_system(self._pool.connection(access), access)
