"""Paths of Redfish resources without what differs from machine to machine, for figures and traces."""

from functools import lru_cache
from typing import Final

#: Collections: what follows them is the id of a member. Source: DMTF DSP0268 and DSP2046, resource URIs.
_COLLECTIONS: Final = frozenset(
    {
        "Accounts", "BootOptions", "Certificates", "Chassis", "Controllers", "Drives", "Endpoints", "Entries",
        "EthernetInterfaces", "Fans", "FirmwareInventory", "HostInterfaces", "JsonSchemas", "LogServices",
        "Managers", "Memory", "MetricReports", "NetworkAdapters", "NetworkDeviceFunctions",
        "NetworkInterfaces", "NetworkPorts", "PCIeDevices", "PCIeFunctions", "Ports", "PowerSupplies",
        "Processors", "Registries", "Roles", "SecureBootDatabases", "Sensors", "Sessions", "SimpleStorage",
        "SoftwareInventory", "Storage", "SubProcessors", "Subscriptions", "Systems", "TaskMonitors", "Tasks",
        "VirtualMedia", "Volumes",
    }
)  # fmt: skip
_ID: Final = "{id}"
#: Deeper paths than this are no resources that we know.
_MOST_PARTS: Final = 16


@lru_cache(maxsize=1024)
def path_template(path: str) -> str:
    """``/redfish/v1/Systems/437XR/Bios`` is ``/redfish/v1/Systems/{id}/Bios``. Whatever has a digit in it is
    taken for an id too, but for the version: vendors have names of their own."""
    parts = path.partition("?")[0].partition("#")[0].rstrip("/").split("/")
    if len(parts) > _MOST_PARTS:
        return "other"
    return "/".join(
        _ID if _is_id(part, before) else part for part, before in zip(parts, ("", *parts), strict=False)
    )


def _is_id(part: str, before: str) -> bool:
    return before in _COLLECTIONS or (before != "redfish" and any(map(str.isdigit, part)))
