"""Management through Redfish: boot device and mode, Secure Boot, lights, sensors, virtual media."""

from collections.abc import Mapping, Sequence

from bessemer.domain.node import SECRET_KEYS
from bessemer.domain.power import BootDevice, BootMode
from bessemer.hardware.interface import JsonObject, Task
from bessemer.hardware.redfish import boot_override, indicator, secure_boot
from bessemer.hardware.redfish.base import RedfishInterface
from bessemer.hardware.redfish.chassis import read_chassis, read_sensors
from bessemer.hardware.redfish.ethernet import read_cards
from bessemer.hardware.redfish.event import RedfishEvents
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.virtual_media import choose_drive, read_media
from bessemer.kernel.secret import secrets_in, without_secrets

#: Longest wait for a BMC to fetch an image.
INSERT_S = 120.0


class RedfishManagement(RedfishInterface):
    def __init__(self, pool: BmcPool) -> None:
        super().__init__(pool)
        self.events = RedfishEvents(pool)

    # ------------------------------------------------------------------ boot

    def supported_boot_devices(self, task: Task) -> Sequence[BootDevice]:
        """What Redfish knows of; what this machine offers it says when asked for more."""
        return tuple(boot_override.TARGETS)

    async def get_boot_device(self, task: Task) -> tuple[BootDevice | None, bool | None]:
        return boot_override.boot_device_of(await self._system(task))

    async def set_boot_device(self, task: Task, device: BootDevice, *, persistent: bool) -> None:
        """Raises Unsupported for a device that the machine does not offer."""
        await boot_override.override(await self._system(task), device, persistent=persistent)

    def supported_boot_modes(self, task: Task) -> Sequence[BootMode]:
        return tuple(BootMode)

    async def get_boot_mode(self, task: Task) -> BootMode | None:
        return boot_override.boot_mode_of(await self._system(task))

    async def set_boot_mode(self, task: Task, mode: BootMode) -> None:
        await boot_override.set_mode(await self._system(task), mode)

    async def get_secure_boot(self, task: Task) -> bool | None:
        return await secure_boot.is_enabled(await self._system(task))

    async def set_secure_boot(self, task: Task, *, enabled: bool) -> None:
        await secure_boot.set_enabled(await self._system(task), enabled=enabled)

    # ------------------------------------------------------------------ what the machine says and shows

    async def inject_nmi(self, task: Task) -> None:
        await (await self._system(task)).reset(("Nmi",))

    async def get_sensors(self, task: Task) -> JsonObject:
        return await read_sensors(await read_chassis(await self._system(task)))

    async def get_indicators(self, task: Task) -> Mapping[str, Mapping[str, JsonObject]]:
        found = await indicator.read_indicators(await self._system(task))
        return {
            component: {name: indicator.describe(resource) for name, resource in resources.items()}
            for component, resources in found.items()
        }

    async def get_indicator(self, task: Task, component: str, name: str) -> str:
        found = await indicator.read_indicators(await self._system(task))
        return indicator.get_state(indicator.find_indicator(found, component, name))

    async def set_indicator(self, task: Task, component: str, name: str, state: str) -> None:
        found = await indicator.read_indicators(await self._system(task))
        await indicator.set_state(indicator.find_indicator(found, component, name), state)

    async def detect_vendor(self, task: Task) -> str | None:
        return (await self._system(task)).resource.find(str, "Manufacturer")

    async def get_mac_addresses(self, task: Task) -> Sequence[str]:
        return tuple(card.mac for card in await read_cards(await self._system(task)))

    async def get_health(self, task: Task) -> str | None:
        """OK, Warning or Critical: of the system and everything in it, where the BMC sums that up."""
        resource = (await self._system(task)).resource
        return resource.find(str, "Status", "HealthRollup") or resource.find(str, "Status", "Health")

    # ------------------------------------------------------------------ virtual media

    async def attach_virtual_media(self, task: Task, device: str, image_url: str) -> None:
        drives = await read_media(await self._system(task))
        await choose_drive(drives, device).insert(image_url, timeout_s=INSERT_S)

    async def detach_virtual_media(self, task: Task, devices: Sequence[str] | None) -> None:
        drives = await read_media(await self._system(task))
        chosen = drives if devices is None else [choose_drive(drives, device) for device in devices]
        for drive in chosen:
            await drive.eject()

    async def get_virtual_media(self, task: Task) -> Sequence[JsonObject]:
        """Whoever has the key in the address of our own medium has what is on it: the agent's token. It does
        not show."""
        keys = secrets_in(task.node.driver_internal_info, SECRET_KEYS["driver_internal_info"])
        return [
            {
                "media_types": list(drive.media_types),
                "inserted": drive.is_inserted,
                "image": drive.image and without_secrets(drive.image, keys),
                "image_name": without_secrets(drive.resource.find(str, "ImageName") or "", keys) or None,
            }
            for drive in await read_media(await self._system(task))
        ]
