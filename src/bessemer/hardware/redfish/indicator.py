"""Lights by which people find a machine: of the system, its chassis and its drives.

Newer resources have ``LocationIndicatorActive`` (on or off), older ones ``IndicatorLED``.
Source: https://redfish.dmtf.org/schemas/v1/ComputerSystem.json, Chassis.json, Drive.json
"""

from collections.abc import Mapping
from typing import Any

from bessemer.hardware.redfish.chassis import read_chassis
from bessemer.hardware.redfish.resource import Resource
from bessemer.hardware.redfish.storage import read_drives
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

_TO_STATE = {"Lit": "on", "Off": "off", "Blinking": "blinking"}
_FROM_STATE = {state: led for led, state in _TO_STATE.items()}


async def read_indicators(system: ComputerSystem) -> dict[str, dict[str, Resource]]:
    """Resources that have a light, by component (system, chassis, disk) and their Id."""
    found = {
        "system": [system.resource],
        "chassis": await read_chassis(system),
        "disk": await read_drives(system),
    }
    lit = {
        component: {r.get(str, "Id"): r for r in resources if _has_light(r)}
        for component, resources in found.items()
    }
    return {component: resources for component, resources in lit.items() if resources}


def describe(resource: Resource) -> JsonObject:
    """What the light can do."""
    has_blinking = resource.find(bool, "LocationIndicatorActive") is None
    return {"readonly": False, "states": ["off", "on", "blinking"] if has_blinking else ["off", "on"]}


def find_indicator(found: Mapping[str, Mapping[str, Resource]], component: str, indicator: str) -> Resource:
    """Raises InvalidValue when there is no such light; the message names those that exist."""
    resource = found.get(component, {}).get(indicator)
    if resource is None:
        names = ", ".join(f"{i}@{c}" for c, resources in found.items() for i in resources)
        raise InvalidValue(
            f"There is no indicator '{indicator}@{component}'.", hint=f"There are: {names or 'none'}."
        )
    return resource


def get_state(resource: Resource) -> str:
    """off, on, blinking or unknown."""
    is_active = resource.find(bool, "LocationIndicatorActive")
    if is_active is not None:
        return "on" if is_active else "off"
    return _TO_STATE.get(resource.find(str, "IndicatorLED") or "", "unknown")


async def set_state(resource: Resource, state: str) -> None:
    """Raises InvalidValue for a state the light does not have."""
    allowed = describe(resource)["states"]
    if state not in allowed:
        raise InvalidValue(f"An indicator cannot be '{state}'.", hint=f"One of: {', '.join(allowed)}.")
    if resource.find(bool, "LocationIndicatorActive") is not None:
        await resource.bmc.patch(resource.path, {"LocationIndicatorActive": state == "on"})
    else:
        await resource.bmc.patch(resource.path, {"IndicatorLED": _FROM_STATE[state]})


def _has_light(resource: Resource) -> bool:
    return "LocationIndicatorActive" in resource.body or resource.find(str, "IndicatorLED") is not None
