"""Chassis: the box, its lights and its sensors.

Source: https://redfish.dmtf.org/schemas/v1/Chassis.json, Thermal.json, Power.json
"""

from typing import Any

from bessemer.hardware.redfish.resource import Resource, read
from bessemer.hardware.redfish.system import ComputerSystem

JsonObject = dict[str, Any]

#: Sensor type, resource of the chassis, list in it, attributes that hold name and reading, unit.
_SENSORS = (
    ("Temperature", "Thermal", "Temperatures", ("Name",), ("ReadingCelsius",), "Celsius"),
    ("Fan", "Thermal", "Fans", ("Name", "FanName"), ("Reading",), None),
    ("Power", "Power", "PowerSupplies", ("Name",), ("LastPowerOutputWatts", "PowerInputWatts"), "Watts"),
    ("Voltage", "Power", "Voltages", ("Name",), ("ReadingVolts",), "Volts"),
)


async def read_chassis(system: ComputerSystem) -> list[Resource]:
    """The chassis that ``system`` sits in."""
    return [await read(system.bmc, path) for path in system.resource.links("Links", "Chassis")]


async def read_sensors(chassis: list[Resource]) -> JsonObject:
    """Readings by sensor type, then by ``name@chassis``. Sensors that are absent are left out."""
    found: JsonObject = {}
    pages: dict[str, Resource] = {}
    for box in chassis:
        for sensor_type, page_name, list_name, names, readings, unit in _SENSORS:
            link = box.find_link(page_name)
            if link is None:
                continue
            page = pages[link] = pages.get(link) or await read(box.bmc, link)
            for item in page.find_list(dict, list_name) or ():
                sensor = _sensor(item, readings, unit)
                if sensor is not None:
                    name = next((item[n] for n in names if item.get(n)), item.get("MemberId", "?"))
                    where = box.find(str, "Id") or box.path
                    found.setdefault(sensor_type, {})[f"{name}@{where}"] = sensor
    return found


def _sensor(item: JsonObject, readings: tuple[str, ...], unit: str | None) -> JsonObject | None:
    status = item.get("Status") or {}
    if status.get("State") == "Absent":
        return None
    reading = next((item[name] for name in readings if item.get(name) is not None), None)
    return {
        "sensor_reading": reading,
        "units": unit or item.get("ReadingUnits"),
        "state": status.get("State"),
        "health": status.get("Health"),
    }
