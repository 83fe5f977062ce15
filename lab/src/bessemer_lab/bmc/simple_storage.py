"""The machine's disks in the older, simpler shape some clients still read.

Source: DMTF SimpleStorage.v1_3_0.
"""

from functools import partial

from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection, link
from bessemer_lab.bmc.storage import Controller, list_controllers, read_identity
from bessemer_lab.mainboard import Mainboard


def build(board: Mainboard) -> list[Resource]:
    path = SystemPath(board.uuid)
    places = {path.below("SimpleStorage", c.bus.value): c for c in list_controllers(board)}
    members = [
        Resource(path=place, get=partial(_read, place, controller, path))
        for place, controller in places.items()
    ]
    name = path.below("SimpleStorage")
    return [collection(name, "SimpleStorageCollection", "Simple Storage", list(places)), *members]


def _read(place: str, controller: Controller, path: SystemPath) -> Json:
    return {
        "@odata.id": place,
        "@odata.type": "#SimpleStorage.v1_3_0.SimpleStorage",
        "Id": controller.bus.value,
        "Name": controller.name,
        "Status": {"State": "Enabled", "Health": "OK"},
        "Devices": [
            {
                "Name": name,
                **read_identity(disk),
                "CapacityBytes": disk.size_bytes,
                "Status": {"State": "Enabled", "Health": "OK"},
            }
            for name, disk in controller.drives.items()
        ],
        "Links": {"Storage": link(path.below("Storage", controller.bus.value))},
    }
