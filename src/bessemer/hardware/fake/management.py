"""A BMC whose settings live on the node."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import BootDevice, BootMode
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, JsonObject, Task
from bessemer.kernel.error import InvalidValue
from bessemer.transfer.url import without_login

BOOT_DEVICE_KEY = "fake_boot_device"
BOOT_MODE_KEY = "fake_boot_mode"
SECURE_BOOT_KEY = "fake_secure_boot"
INDICATORS_KEY = "fake_indicators"
MEDIA_KEY = "fake_virtual_media"
NMI_KEY = "fake_nmi_count"

_LED: JsonObject = {"readonly": False, "states": ["off", "on", "blinking"]}
_INDICATORS: Mapping[str, Mapping[str, JsonObject]] = {
    "chassis": {"led-0": _LED},
    "system": {"led-0": _LED},
}
_MEDIA_DEVICES = ("cdrom", "disk", "floppy")


class FakeManagement(BareInterface):
    name = "fake"
    events = None

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    # ------------------------------------------------------------------ boot

    def supported_boot_devices(self, task: Task) -> Sequence[BootDevice]:
        return tuple(BootDevice)

    async def get_boot_device(self, task: Task) -> tuple[BootDevice | None, bool | None]:
        await self._call(task, "get_boot_device")
        noted = self._recall(task, BOOT_DEVICE_KEY, {"device": "disk", "persistent": True})
        return BootDevice(noted["device"]), noted["persistent"]

    async def set_boot_device(self, task: Task, device: BootDevice, *, persistent: bool) -> None:
        await self._call(task, "set_boot_device")
        await task.remember(**{BOOT_DEVICE_KEY: {"device": device.value, "persistent": persistent}})

    def supported_boot_modes(self, task: Task) -> Sequence[BootMode]:
        return tuple(BootMode)

    async def get_boot_mode(self, task: Task) -> BootMode | None:
        await self._call(task, "get_boot_mode")
        return BootMode(self._recall(task, BOOT_MODE_KEY, BootMode.UEFI))

    async def set_boot_mode(self, task: Task, mode: BootMode) -> None:
        await self._call(task, "set_boot_mode")
        await task.remember(**{BOOT_MODE_KEY: mode.value})

    async def get_secure_boot(self, task: Task) -> bool | None:
        await self._call(task, "get_secure_boot")
        return bool(self._recall(task, SECURE_BOOT_KEY, False))

    async def set_secure_boot(self, task: Task, *, enabled: bool) -> None:
        """Raises InvalidValue in legacy BIOS mode, as real firmware does."""
        await self._call(task, "set_secure_boot")
        if enabled and self._recall(task, BOOT_MODE_KEY, BootMode.UEFI) != BootMode.UEFI:
            raise InvalidValue("Secure boot needs boot mode 'uefi'.")
        await task.remember(**{SECURE_BOOT_KEY: enabled})

    # ------------------------------------------------------------------ what the machine says and shows

    async def inject_nmi(self, task: Task) -> None:
        await self._call(task, "inject_nmi")
        await task.remember(**{NMI_KEY: self._recall(task, NMI_KEY, 0) + 1})

    async def get_sensors(self, task: Task) -> JsonObject:
        await self._call(task, "get_sensors")
        return {
            "Temperature": {"inlet": {"sensor_reading": 21.0, "units": "Celsius", "health": "OK"}},
            "Fan": {"fan-0": {"sensor_reading": 5000, "units": "RPM", "health": "OK"}},
        }

    async def get_indicators(self, task: Task) -> Mapping[str, Mapping[str, JsonObject]]:
        await self._call(task, "get_indicators")
        return _INDICATORS

    async def get_indicator(self, task: Task, component: str, indicator: str) -> str:
        await self._call(task, "get_indicator")
        _find_indicator(component, indicator)
        return str(self._recall(task, INDICATORS_KEY, {}).get(f"{indicator}@{component}", "off"))

    async def set_indicator(self, task: Task, component: str, indicator: str, state: str) -> None:
        await self._call(task, "set_indicator")
        allowed = _find_indicator(component, indicator)["states"]
        if state not in allowed:
            raise InvalidValue(f"An indicator cannot be '{state}'.", hint=f"One of: {', '.join(allowed)}.")
        states = {**self._recall(task, INDICATORS_KEY, {}), f"{indicator}@{component}": state}
        await task.remember(**{INDICATORS_KEY: states})

    async def detect_vendor(self, task: Task) -> str | None:
        await self._call(task, "detect_vendor")
        return None

    async def get_mac_addresses(self, task: Task) -> Sequence[str]:
        await self._call(task, "get_mac_addresses")
        return tuple(port.address for port in task.ports)

    async def get_health(self, task: Task) -> str | None:
        await self._call(task, "get_health")
        return "OK"

    # ------------------------------------------------------------------ virtual media

    async def attach_virtual_media(self, task: Task, device: str, image_url: str) -> None:
        await self._call(task, "attach_virtual_media")
        _check_device(device)
        # Nobody fetches it: the login that may be in the address is of no use, and nodes show their notes.
        image = without_login(image_url)
        await task.remember(**{MEDIA_KEY: {**self._recall(task, MEDIA_KEY, {}), device: image}})

    async def detach_virtual_media(self, task: Task, devices: Sequence[str] | None) -> None:
        await self._call(task, "detach_virtual_media")
        for device in devices or ():
            _check_device(device)
        gone = set(_MEDIA_DEVICES if devices is None else devices)
        left = {d: url for d, url in self._recall(task, MEDIA_KEY, {}).items() if d not in gone}
        await task.remember(**{MEDIA_KEY: left or None})

    async def get_virtual_media(self, task: Task) -> Sequence[JsonObject]:
        await self._call(task, "get_virtual_media")
        inserted = self._recall(task, MEDIA_KEY, {})
        return [
            {
                "media_types": [device],
                "inserted": device in inserted,
                "image": inserted.get(device),
                "image_name": inserted[device].rpartition("/")[2] if device in inserted else None,
            }
            for device in _MEDIA_DEVICES
        ]

    async def _call(self, task: Task, method: str) -> None:
        await self._behaviour.call(task, InterfaceType.MANAGEMENT, method)

    def _recall(self, task: Task, key: str, default: Any) -> Any:
        return task.node.driver_internal_info.get(key, default)


def _find_indicator(component: str, indicator: str) -> JsonObject:
    found = _INDICATORS.get(component, {}).get(indicator)
    if found is None:
        raise InvalidValue(f"There is no indicator '{indicator}@{component}'.")
    return found


def _check_device(device: str) -> None:
    if device not in _MEDIA_DEVICES:
        raise InvalidValue(
            f"There is no virtual media device '{device}'.", hint=f"There are: {', '.join(_MEDIA_DEVICES)}."
        )
