"""SecureBoot. Source: https://redfish.dmtf.org/schemas/v1/SecureBoot.json"""

from bessemer.hardware.redfish.resource import read
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.error import Unsupported


async def is_enabled(system: ComputerSystem) -> bool | None:
    """Whether the machine booted, or will boot, with Secure Boot; None when the machine has none."""
    link = system.resource.find_link("SecureBoot")
    if link is None:
        return None
    resource = await read(system.bmc, link)
    current = resource.find(str, "SecureBootCurrentBoot")
    if current in ("Enabled", "Disabled"):
        return current == "Enabled"
    return resource.find(bool, "SecureBootEnable")


async def set_enabled(system: ComputerSystem, *, enabled: bool) -> None:
    """Takes effect at the next boot. Raises Unsupported when the machine has no Secure Boot."""
    link = system.resource.find_link("SecureBoot")
    if link is None:
        raise Unsupported(f"The system {system.path} of the BMC at {system.bmc.name} has no Secure Boot.")
    await system.bmc.patch(link, {"SecureBootEnable": enabled})
