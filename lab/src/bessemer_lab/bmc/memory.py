"""Memory: all of it as one module.

Source: DMTF Memory.v1_11_0.
"""

from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection
from bessemer_lab.mainboard import Mainboard


def build(board: Mainboard) -> list[Resource]:
    path = SystemPath(board.uuid)
    name = path.below("Memory", "dimm0")

    def read() -> Json:
        return {
            "@odata.id": name,
            "@odata.type": "#Memory.v1_11_0.Memory",
            "Id": "dimm0",
            "Name": "Memory",
            "MemoryType": "DRAM",
            "CapacityMiB": board.spec.memory_mib,
            "DeviceLocator": "DIMM 0",
            "Manufacturer": "QEMU",
            "Status": {"State": "Enabled", "Health": "OK"},
        }

    return [
        collection(path.below("Memory"), "MemoryCollection", "Memory", [name]),
        Resource(path=name, get=read),
    ]
