"""The BMC itself.

Source: DMTF Manager.v1_10_0.
"""

import uuid
from datetime import UTC, datetime
from importlib.metadata import version

from bessemer_lab.bmc.path import CHASSIS, MANAGER, MANAGERS, VIRTUAL_MEDIA, SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection, link
from bessemer_lab.mainboard import Mainboard


def build(board: Mainboard) -> list[Resource]:
    system = SystemPath(board.uuid).system
    identity = str(uuid.uuid5(uuid.UUID(board.uuid), "bmc"))
    firmware = version("bessemer-lab")

    def read() -> Json:
        return {
            "@odata.id": MANAGER,
            "@odata.type": "#Manager.v1_10_0.Manager",
            "Id": "BMC",
            "Name": f"BMC of {board.name}",
            "ManagerType": "BMC",
            "UUID": identity,
            "Model": "Bessemer Lab BMC",
            "FirmwareVersion": firmware,
            "DateTime": datetime.now(UTC).isoformat(timespec="seconds"),
            "DateTimeLocalOffset": "+00:00",
            "PowerState": "On",
            "Status": {"State": "Enabled", "Health": "OK"},
            "VirtualMedia": link(VIRTUAL_MEDIA),
            "Links": {
                "ManagerForServers": [link(system)],
                "ManagerForChassis": [link(CHASSIS)],
                "ManagerInChassis": link(CHASSIS),
            },
        }

    return [
        collection(MANAGERS, "ManagerCollection", "Managers", [MANAGER]),
        Resource(path=MANAGER, get=read),
    ]
