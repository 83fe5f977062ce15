"""Interfaces that a machine does not have: ``no-bios``, ``no-raid`` and the like. Each call says so."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from bessemer.hardware.interface import BareInterface, Inspection, JsonObject, Task, VendorMethod
from bessemer.kernel.error import Unsupported


class _Absent(BareInterface):
    kind: str

    def validate(self, task: Task) -> None:
        """Unsupported rather than plain InvalidValue: node validation shows "not there", not "broken"."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Unsupported(
            f"The node's {self.kind} interface is '{self.name}': it has no {self.kind} functions.",
            hint=f"Set the node's {self.kind}_interface to one that does.",
        )


class NoBios(_Absent):
    name = "no-bios"
    kind = "bios"

    async def get_settings(self, task: Task) -> Sequence[JsonObject]:
        self._refuse()


class NoConsole(_Absent):
    name = "no-console"
    kind = "console"

    async def start(self, task: Task) -> None:
        self._refuse()

    async def stop(self, task: Task) -> None:
        self._refuse()

    async def get_console(self, task: Task) -> JsonObject:
        self._refuse()


class NoFirmware(_Absent):
    name = "no-firmware"
    kind = "firmware"

    async def get_components(self, task: Task) -> Sequence[JsonObject]:
        self._refuse()


class NoInspect(_Absent):
    name = "no-inspect"
    kind = "inspect"
    is_out_of_band = True

    async def inspect(self, task: Task) -> Inspection:
        self._refuse()


class NoRaid(_Absent):
    name = "no-raid"
    kind = "raid"

    def logical_disk_properties(self) -> Mapping[str, str]:
        self._refuse()

    def validate_raid_config(self, task: Task, config: JsonObject) -> None:
        self._refuse()


class NoRescue(_Absent):
    name = "no-rescue"
    needs_agent = False
    kind = "rescue"

    async def rescue(self, task: Task) -> None:
        self._refuse()

    async def unrescue(self, task: Task) -> None:
        self._refuse()

    async def clean_up(self, task: Task) -> None:
        return None


class NoVendor(_Absent):
    """Offers no methods; asking for one anyway is refused."""

    name = "no-vendor"
    kind = "vendor"

    def methods(self) -> Mapping[str, VendorMethod]:
        return {}

    def driver_methods(self) -> Mapping[str, VendorMethod]:
        return {}

    async def call(self, task: Task, method: str, http_method: str, args: JsonObject) -> Any:
        self._refuse()

    async def call_driver(self, method: str, http_method: str, args: JsonObject) -> Any:
        self._refuse()
