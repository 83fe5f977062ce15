"""Manager: the BMC itself. Source: https://redfish.dmtf.org/schemas/v1/Manager.json"""

from bessemer.hardware.redfish.resource import Resource, read
from bessemer.hardware.redfish.system import ComputerSystem


async def read_managers(system: ComputerSystem) -> list[Resource]:
    """The managers of ``system``."""
    return [await read(system.bmc, path) for path in system.resource.links("Links", "ManagedBy")]
