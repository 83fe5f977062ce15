"""EthernetInterface: the network cards. Source: https://redfish.dmtf.org/schemas/v1/EthernetInterface.json"""

from dataclasses import dataclass

from bessemer.hardware.redfish.resource import Resource, read_members
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.ident import is_mac


@dataclass(frozen=True, slots=True)
class NetworkCard:
    name: str
    mac: str
    speed_mbps: int | None = None
    has_carrier: bool | None = None


async def read_cards(system: ComputerSystem) -> list[NetworkCard]:
    """Cards that are enabled and have a MAC address (in lower case), each once."""
    link = system.resource.find_link("EthernetInterfaces")
    if link is None:
        return []
    by_mac: dict[str, NetworkCard] = {}
    for nic in await read_members(system.bmc, link):
        card = _card(nic)
        if card is not None:
            by_mac.setdefault(card.mac, card)
    return list(by_mac.values())


def _card(nic: Resource) -> NetworkCard | None:
    if nic.find(str, "Status", "State") in ("Absent", "Disabled"):
        return None
    mac = (nic.find(str, "PermanentMACAddress") or nic.find(str, "MACAddress") or "").lower()
    mac = mac.replace("-", ":")
    if not is_mac(mac) or mac == "00:00:00:00:00:00":
        return None
    link_status = nic.find(str, "LinkStatus")
    return NetworkCard(
        name=nic.find(str, "Id") or mac,
        mac=mac,
        speed_mbps=nic.find(int, "SpeedMbps"),
        has_carrier=None if link_status is None else link_status == "LinkUp",
    )
