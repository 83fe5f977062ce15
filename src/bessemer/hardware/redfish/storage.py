"""Storage and SimpleStorage: controllers and the drives behind them.

Source: https://redfish.dmtf.org/schemas/v1/Storage.json, Drive.json, SimpleStorage.json
"""

from dataclasses import dataclass

from bessemer.hardware.redfish.resource import Resource, read, read_members_if_any
from bessemer.hardware.redfish.system import ComputerSystem


@dataclass(frozen=True, slots=True)
class Disk:
    name: str
    size_bytes: int
    model: str | None = None
    serial: str | None = None
    vendor: str | None = None
    is_rotational: bool | None = None
    wwn: str | None = None


async def read_drives(system: ComputerSystem) -> list[Resource]:
    """Every drive of every storage controller."""
    controllers = await read_members_if_any(system.bmc, system.resource.find_link("Storage"))
    paths = [path for controller in controllers for path in controller.links("Drives")]
    return [await read(system.bmc, path) for path in dict.fromkeys(paths)]


async def read_disks(system: ComputerSystem) -> list[Disk]:
    """The disks that are present, from Storage or, where that knows none, from SimpleStorage."""
    drives = [disk for drive in await read_drives(system) if (disk := _from_drive(drive)) is not None]
    if drives:
        return drives
    pages = await read_members_if_any(system.bmc, system.resource.find_link("SimpleStorage"))
    return [disk for page in pages for disk in _from_simple(page)]


def _from_drive(drive: Resource) -> Disk | None:
    size_bytes = drive.find(int, "CapacityBytes")
    if not size_bytes or drive.find(str, "Status", "State") == "Absent":
        return None
    media_type = drive.find(str, "MediaType")
    return Disk(
        name=drive.find(str, "Name") or drive.get(str, "Id"),
        size_bytes=size_bytes,
        model=drive.find(str, "Model"),
        serial=drive.find(str, "SerialNumber"),
        vendor=drive.find(str, "Manufacturer"),
        is_rotational=None if media_type is None else media_type in ("HDD", "SMR"),
        wwn=_wwn(drive),
    )


def _wwn(drive: Resource) -> str | None:
    """The World Wide Name in the form that Linux shows it: 0x and lower-case digits."""
    for identifier in drive.find_list(dict, "Identifiers") or ():
        name = identifier.get("DurableName")
        if identifier.get("DurableNameFormat") == "NAA" and isinstance(name, str):
            return "0x" + name.lower().removeprefix("0x").replace(":", "")
    return None


def _from_simple(page: Resource) -> list[Disk]:
    """Devices of a SimpleStorage page that have a size (drives without medium do not)."""
    found = []
    for number, item in enumerate(page.find_list(dict, "Devices") or ()):
        device = Resource(page.bmc, f"{page.path}#/Devices/{number}", item)
        size_bytes = device.find(int, "CapacityBytes")
        if size_bytes:
            found.append(
                Disk(
                    name=device.find(str, "Name") or f"disk{number}",
                    size_bytes=size_bytes,
                    model=device.find(str, "Model"),
                    vendor=device.find(str, "Manufacturer"),
                )
            )
    return found
