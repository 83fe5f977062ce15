"""The chassis. A virtual one has no sensors, and its thermal and power resources say so.

Source: DMTF Chassis.v1_15_0, Thermal.v1_7_0 and Power.v1_7_0.
"""

from bessemer_lab.bmc.path import ALL_CHASSIS, CHASSIS, MANAGER, SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection, link
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.qemu import plan_serial


def build(board: Mainboard) -> list[Resource]:
    system = SystemPath(board.uuid).system

    def read() -> Json:
        return {
            "@odata.id": CHASSIS,
            "@odata.type": "#Chassis.v1_15_0.Chassis",
            "Id": "1",
            "Name": f"Chassis of {board.name}",
            "ChassisType": "RackMount",
            "Manufacturer": "Bessemer",
            "Model": "Virtual Chassis",
            "SerialNumber": plan_serial(board.spec),
            "PowerState": board.power_state.value,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Thermal": link(f"{CHASSIS}/Thermal"),
            "Power": link(f"{CHASSIS}/Power"),
            "Links": {"ComputerSystems": [link(system)], "ManagedBy": [link(MANAGER)]},
        }

    return [
        collection(ALL_CHASSIS, "ChassisCollection", "Chassis", [CHASSIS]),
        Resource(path=CHASSIS, get=read),
        Resource(path=f"{CHASSIS}/Thermal", get=_read_thermal),
        Resource(path=f"{CHASSIS}/Power", get=_read_power),
    ]


def _read_thermal() -> Json:
    return {
        "@odata.id": f"{CHASSIS}/Thermal",
        "@odata.type": "#Thermal.v1_7_0.Thermal",
        "Id": "Thermal",
        "Name": "Thermal",
        "Temperatures": [],
        "Fans": [],
    }


def _read_power() -> Json:
    return {
        "@odata.id": f"{CHASSIS}/Power",
        "@odata.type": "#Power.v1_7_0.Power",
        "Id": "Power",
        "Name": "Power",
        "PowerControl": [],
        "PowerSupplies": [],
    }
