"""ComputerSystem: the machine itself. Source: https://redfish.dmtf.org/schemas/v1/ComputerSystem.json"""

from collections.abc import Sequence
from typing import Any

from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.connection import BmcConnection
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.resource import Resource, member_paths, read
from bessemer.kernel.error import InvalidValue, Unsupported

RESET_ACTION = "#ComputerSystem.Reset"
_ALLOWED = "@Redfish.AllowableValues"


class ComputerSystem:
    """One system as read. Properties come from what was read; methods talk to the BMC."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.bmc = resource.bmc
        self.path = resource.path

    @property
    def power_state(self) -> str:
        """On, Off, PoweringOn, PoweringOff or Paused."""
        return self.resource.get(str, "PowerState")

    @property
    def boot_target(self) -> str | None:
        return self.resource.find(str, "Boot", "BootSourceOverrideTarget")

    @property
    def boot_enabled(self) -> str | None:
        """Disabled, Once or Continuous."""
        return self.resource.find(str, "Boot", "BootSourceOverrideEnabled")

    @property
    def boot_mode(self) -> str | None:
        """UEFI or Legacy; None when the system does not say."""
        return self.resource.find(str, "Boot", "BootSourceOverrideMode")

    def allowed(self, name: str) -> Sequence[str] | None:
        """Values that the BMC says the boot attribute ``name`` may take, or None when it does not say."""
        return self.resource.find_list(str, "Boot", name + _ALLOWED)

    async def reset_types(self) -> Sequence[str] | None:
        """Values that Reset takes, or None when the BMC does not say."""
        stated = self.resource.find_list(str, "Actions", RESET_ACTION, "ResetType" + _ALLOWED)
        if stated is not None:
            return stated
        info_path = self.resource.find(str, "Actions", RESET_ACTION, "@Redfish.ActionInfo")
        if info_path is None:
            return None
        info = await read(self.bmc, info_path)
        for parameter in info.find_list(dict, "Parameters") or ():
            if parameter.get("Name") == "ResetType":
                return Resource(self.bmc, info_path, parameter).find_list(str, "AllowableValues")
        return None

    async def reset(self, preferred: Sequence[str]) -> str:
        """Ask for the first of ``preferred`` that the BMC allows; says which it was. Returns when accepted.

        Raises:
            Unsupported: The BMC allows none of them.
        """
        target = self.resource.get_action(RESET_ACTION)
        allowed = await self.reset_types()
        chosen = next((kind for kind in preferred if allowed is None or kind in allowed), None)
        if chosen is None:
            raise Unsupported(
                f"The BMC at {self.bmc.name} offers none of the resets {', '.join(preferred)}.",
                hint=f"It offers: {', '.join(allowed or ())}.",
            )
        await self.bmc.post(target, {"ResetType": chosen})
        return chosen

    async def set_boot(self, **attributes: Any) -> None:
        """Change attributes of ``Boot``."""
        await self.bmc.patch(self.path, {"Boot": attributes})


async def read_system(bmc: BmcConnection, access: Access) -> ComputerSystem:
    """The node's system.

    Raises:
        InvalidValue: ``redfish_system_id`` names none, or is needed because the BMC does not have exactly
            one; the message lists those that exist.
    """
    path = access.system_path or bmc.only_system
    if path is None:
        path = bmc.only_system = await _find_only(bmc)
    try:
        return ComputerSystem(await read(bmc, path))
    except BmcRefused as refused:
        if refused.status != 404:
            raise
        bmc.only_system = None
        there_are = await _list_paths(bmc)
        if access.system_path is None or path in there_are:
            raise
        raise InvalidValue(
            f"The BMC at {bmc.name} has no system '{path}'.", hint=_choose_from(there_are)
        ) from refused


async def _find_only(bmc: BmcConnection) -> str:
    paths = await _list_paths(bmc)
    if len(paths) != 1:
        count = "no system" if not paths else f"{len(paths)} systems"
        raise InvalidValue(f"The BMC at {bmc.name} has {count}.", hint=_choose_from(paths))
    return paths[0]


async def _list_paths(bmc: BmcConnection) -> list[str]:
    root = await read(bmc, bmc.access.root_path)
    systems = root.find_link("Systems")
    return await member_paths(bmc, systems) if systems else []


def _choose_from(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:20]) + (f" and {len(paths) - 20} more" if len(paths) > 20 else "")
    return f"Set redfish_system_id to one of: {shown}." if paths else "Is it the BMC of a server?"
