"""``noop`` management, for machines whose boot order is set by hand and left alone."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from bessemer.domain.power import BootDevice, BootMode
from bessemer.hardware.interface import BareInterface, JsonObject, Task
from bessemer.kernel.error import Unsupported


class NoopManagement(BareInterface):
    """Any boot device may be asked for; nothing happens. What needs a real BMC is refused."""

    name = "noop"
    events = None

    def supported_boot_devices(self, task: Task) -> Sequence[BootDevice]:
        return tuple(BootDevice)

    async def get_boot_device(self, task: Task) -> tuple[BootDevice | None, bool | None]:
        return None, None

    async def set_boot_device(self, task: Task, device: BootDevice, *, persistent: bool) -> None:
        return None

    def supported_boot_modes(self, task: Task) -> Sequence[BootMode]:
        return ()

    async def get_boot_mode(self, task: Task) -> BootMode | None:
        self._refuse("boot modes")

    async def set_boot_mode(self, task: Task, mode: BootMode) -> None:
        self._refuse("boot modes")

    async def get_secure_boot(self, task: Task) -> bool | None:
        self._refuse("secure boot")

    async def set_secure_boot(self, task: Task, *, enabled: bool) -> None:
        self._refuse("secure boot")

    async def inject_nmi(self, task: Task) -> None:
        self._refuse("interrupts")

    async def get_sensors(self, task: Task) -> JsonObject:
        return {}

    async def get_indicators(self, task: Task) -> Mapping[str, Mapping[str, JsonObject]]:
        return {}

    async def get_indicator(self, task: Task, component: str, indicator: str) -> str:
        self._refuse("indicators")

    async def set_indicator(self, task: Task, component: str, indicator: str, state: str) -> None:
        self._refuse("indicators")

    async def detect_vendor(self, task: Task) -> str | None:
        return None

    async def get_mac_addresses(self, task: Task) -> Sequence[str]:
        return ()

    async def get_health(self, task: Task) -> str | None:
        return None

    async def attach_virtual_media(self, task: Task, device: str, image_url: str) -> None:
        self._refuse("virtual media")

    async def detach_virtual_media(self, task: Task, devices: Sequence[str] | None) -> None:
        self._refuse("virtual media")

    async def get_virtual_media(self, task: Task) -> Sequence[JsonObject]:
        self._refuse("virtual media")

    def _refuse(self, what: str) -> NoReturn:
        raise Unsupported(f"The node's management interface is 'noop': it has no {what}.")
