"""Which device the firmware tries first: the boot override and what it does to the boot order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bessemer_lab.spec import BootDevice, Firmware


class OverrideEnabled(StrEnum):
    """How long an override lasts; the values are those of Redfish's BootSourceOverrideEnabled."""

    DISABLED = "Disabled"
    ONCE = "Once"
    CONTINUOUS = "Continuous"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSetting:
    """What the BMC was told about booting. ``target`` is None while there is no override."""

    firmware: Firmware = Firmware.UEFI
    enabled: OverrideEnabled = OverrideEnabled.DISABLED
    target: BootDevice | None = None


def plan_boot_order(setting: BootSetting, default: Sequence[BootDevice]) -> tuple[BootDevice, ...]:
    """The devices of the next boot, in turn: the override's target, then the default order."""
    if setting.enabled is OverrideEnabled.DISABLED or setting.target is None:
        return tuple(default)
    return (setting.target, *(device for device in default if device is not setting.target))


def consume_override(setting: BootSetting) -> BootSetting:
    """What remains of a setting after a boot has begun: *Once* is used up, everything else stays."""
    if setting.enabled is not OverrideEnabled.ONCE:
        return setting
    return replace(setting, enabled=OverrideEnabled.DISABLED, target=None)
