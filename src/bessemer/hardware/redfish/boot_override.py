"""Boot override: what a system boots next, once or from now on.

Source: https://redfish.dmtf.org/schemas/v1/ComputerSystem.json, Boot; DMTF DSP2046.
"""

from collections.abc import Mapping
from typing import Any

from bessemer.domain.power import BootDevice, BootMode
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.system import ComputerSystem
from bessemer.kernel.error import DeviceError, Unsupported

TARGET = "BootSourceOverrideTarget"
ENABLED = "BootSourceOverrideEnabled"
MODE = "BootSourceOverrideMode"

#: Names for each device, the usual one first; a BMC that lists what it allows decides.
TARGETS: Mapping[BootDevice, tuple[str, ...]] = {
    BootDevice.PXE: ("Pxe",),
    BootDevice.DISK: ("Hdd",),
    BootDevice.CDROM: ("Cd", "UsbCd"),
    BootDevice.BIOS: ("BiosSetup",),
    BootDevice.FLOPPY: ("Floppy", "Usb"),
    BootDevice.UEFIHTTP: ("UefiHttp",),
    BootDevice.ISCSIBOOT: ("RemoteDrive",),
}
_DEVICES = {target: device for device, targets in TARGETS.items() for target in targets}

MODES = {BootMode.UEFI: "UEFI", BootMode.BIOS: "Legacy"}
_FROM_MODES = {name: mode for mode, name in MODES.items()}


def boot_device_of(system: ComputerSystem) -> tuple[BootDevice | None, bool | None]:
    """The device of the override and whether it stays; (None, None) when nothing is overridden."""
    enabled = system.boot_enabled
    device = _DEVICES.get(system.boot_target or "")
    if device is None or enabled not in ("Once", "Continuous"):
        return None, None
    return device, enabled == "Continuous"


def boot_mode_of(system: ComputerSystem) -> BootMode | None:
    return _FROM_MODES.get(system.boot_mode or "")


async def override(
    system: ComputerSystem, device: BootDevice, *, persistent: bool, mode: BootMode | None = None
) -> None:
    """Boot from ``device``, once or from now on, in ``mode`` (None: as it is). Idempotent.

    Raises:
        Unsupported: The system does not offer this device, or not persistently.
    """
    wanted: dict[str, Any] = {
        TARGET: _allowed_target(system, device),
        ENABLED: "Continuous" if persistent else "Once",
    }
    allowed = system.allowed(ENABLED)
    if allowed is not None and wanted[ENABLED] not in allowed:
        raise Unsupported(
            f"The system {system.path} of the BMC at {system.bmc.name} cannot boot '{device}' "
            + ("persistently." if persistent else "once."),
            hint=f"It offers: {', '.join(allowed)}.",
        )
    present = system.boot_mode
    if present is None or (mode is not None and MODES[mode] != present):
        await system.set_boot(**wanted, **({MODE: MODES[mode]} if mode and present else {}))
        return
    try:
        # Said again because some BMCs fall back to Legacy when the mode is left out.
        await system.set_boot(**wanted, **{MODE: present})
    except BmcRefused:
        await system.set_boot(**wanted)


async def set_mode(system: ComputerSystem, mode: BootMode) -> None:
    """Boot in ``mode`` from now on. Idempotent. Raises Unsupported."""
    name = MODES[mode]
    if system.boot_mode is None:
        raise Unsupported(
            f"The system {system.path} of the BMC at {system.bmc.name} does not tell boot modes."
        )
    allowed = system.allowed(MODE)
    if allowed is not None and name not in allowed:
        raise Unsupported(
            f"The system {system.path} of the BMC at {system.bmc.name} cannot boot in mode '{mode}'.",
            hint=f"It offers: {', '.join(allowed)}.",
        )
    if system.boot_mode != name:
        await system.set_boot(**{MODE: name})


def can_stay_on(system: ComputerSystem, device: BootDevice) -> bool:
    """Whether a persistent override to ``device`` is possible."""
    targets, kinds = system.allowed(TARGET), system.allowed(ENABLED)
    has_target = targets is None or any(target in targets for target in TARGETS[device])
    return has_target and (kinds is None or "Continuous" in kinds)


async def disable(system: ComputerSystem) -> None:
    """Boot in the firmware's own order again. Idempotent.

    A BMC that has no such thing is pointed at the disk instead.
    """
    if system.boot_enabled in (None, "Disabled"):
        return
    try:
        await system.set_boot(**{ENABLED: "Disabled"})
    except DeviceError:
        if not can_stay_on(system, BootDevice.DISK):
            raise
        await override(system, BootDevice.DISK, persistent=True)


def _allowed_target(system: ComputerSystem, device: BootDevice) -> str:
    names = TARGETS.get(device, ())
    allowed = system.allowed(TARGET)
    chosen = next((name for name in names if allowed is None or name in allowed), None)
    if chosen is None:
        offered = [d.value for d in TARGETS if allowed is None or set(TARGETS[d]) & set(allowed)]
        raise Unsupported(
            f"The system {system.path} of the BMC at {system.bmc.name} cannot boot from '{device}'.",
            hint=f"It offers: {', '.join(offered)}.",
        )
    return chosen
