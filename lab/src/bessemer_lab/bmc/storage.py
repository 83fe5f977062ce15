"""Storage controllers and their drives: one controller for each bus the machine's disks use.

Source: DMTF Storage.v1_10_0 and Drive.v1_11_0.
"""

from dataclasses import dataclass
from functools import partial

from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection, link
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.spec import DiskBus, DiskSpec

_PROTOCOLS = {DiskBus.SCSI: "SAS", DiskBus.NVME: "NVMe", DiskBus.VIRTIO: "OEM"}


@dataclass(frozen=True, slots=True)
class Controller:
    """The disks on one bus, by the names they have in the machine (``disk0`` and so on)."""

    bus: DiskBus
    drives: dict[str, DiskSpec]

    @property
    def name(self) -> str:
        return f"{self.bus.value.upper()} storage controller"


def list_controllers(board: Mainboard) -> list[Controller]:
    """The machine's controllers, in the order of their first disks."""
    controllers: dict[DiskBus, Controller] = {}
    for number, disk in enumerate(board.spec.disks):
        controllers.setdefault(disk.bus, Controller(disk.bus, {})).drives[f"disk{number}"] = disk
    return list(controllers.values())


def read_identity(disk: DiskSpec) -> Json:
    """Manufacturer and model, as the guest sees them: only SCSI disks have a model of their own."""
    if disk.bus is DiskBus.SCSI:
        return {"Manufacturer": "BESSEMER", "Model": disk.model}
    return {"Manufacturer": "QEMU", "Model": "QEMU NVMe Ctrl" if disk.bus is DiskBus.NVME else None}


def build(board: Mainboard) -> list[Resource]:
    path = SystemPath(board.uuid)
    resources: list[Resource] = []
    members: list[str] = []
    for controller in list_controllers(board):
        place = path.below("Storage", controller.bus.value)
        members.append(place)
        resources.append(Resource(path=place, get=partial(_read_storage, place, controller)))
        for name, disk in controller.drives.items():
            drive = f"{place}/Drives/{name}"
            resources.append(Resource(path=drive, get=partial(_read_drive, drive, disk)))
    return [collection(path.below("Storage"), "StorageCollection", "Storage", members), *resources]


def _read_storage(path: str, controller: Controller) -> Json:
    drives = [link(f"{path}/Drives/{name}") for name in controller.drives]
    return {
        "@odata.id": path,
        "@odata.type": "#Storage.v1_10_0.Storage",
        "Id": controller.bus.value,
        "Name": controller.name,
        "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
        "StorageControllers": [
            {
                "@odata.id": f"{path}#/StorageControllers/0",
                "MemberId": "0",
                "Name": controller.name,
                "Manufacturer": "QEMU",
                "SupportedDeviceProtocols": [_PROTOCOLS[controller.bus]],
                "Status": {"State": "Enabled", "Health": "OK"},
            }
        ],
        "Drives@odata.count": len(drives),
        "Drives": drives,
    }


def _read_drive(path: str, disk: DiskSpec) -> Json:
    name = path.rsplit("/", 1)[-1]
    spins = disk.bus is DiskBus.SCSI and disk.rotation_rate > 1
    body = {
        "@odata.id": path,
        "@odata.type": "#Drive.v1_11_0.Drive",
        "Id": name,
        "Name": f"Drive {name}",
        **read_identity(disk),
        "SerialNumber": disk.serial,
        "CapacityBytes": disk.size_bytes,
        "BlockSizeBytes": 512,
        "MediaType": "HDD" if spins else "SSD",
        "Protocol": _PROTOCOLS[disk.bus],
        "Status": {"State": "Enabled", "Health": "OK"},
    }
    if spins:
        body["RotationSpeedRPM"] = disk.rotation_rate
    if disk.bus is DiskBus.SCSI:
        body["Identifiers"] = [{"DurableName": f"{disk.wwn:016X}", "DurableNameFormat": "NAA"}]
    return body
