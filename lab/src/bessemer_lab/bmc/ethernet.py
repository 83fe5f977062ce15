"""The system's network interfaces.

Source: DMTF EthernetInterface.v1_6_0.
"""

from functools import partial

from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.spec import NicSpec


def build(board: Mainboard) -> list[Resource]:
    path = SystemPath(board.uuid)
    nics = {path.below("EthernetInterfaces", f"nic{n}"): nic for n, nic in enumerate(board.spec.nics)}
    members = [Resource(path=name, get=partial(_read, name, nic)) for name, nic in nics.items()]
    interfaces = path.below("EthernetInterfaces")
    return [
        collection(interfaces, "EthernetInterfaceCollection", "Ethernet Interfaces", list(nics)),
        *members,
    ]


def _read(path: str, nic: NicSpec) -> Json:
    number = path.rsplit("/", 1)[-1]
    return {
        "@odata.id": path,
        "@odata.type": "#EthernetInterface.v1_6_0.EthernetInterface",
        "Id": number,
        "Name": f"Network interface {number}",
        "MACAddress": nic.mac,
        "PermanentMACAddress": nic.mac,
        "InterfaceEnabled": True,
        "LinkStatus": "LinkUp" if nic.is_connected else "NoLink",
        "Status": {"State": "Enabled", "Health": "OK"},
    }
