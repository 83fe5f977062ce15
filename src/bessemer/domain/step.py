"""Hardware steps: the work that cleaning, deployment, servicing and verification are made of."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType

JsonObject = dict[str, Any]


class StepKind(StrEnum):
    CLEAN = "clean"
    DEPLOY = "deploy"
    SERVICE = "service"
    VERIFY = "verify"


class HardwareStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step as drivers and agents announce it and as users name it. Source: v1 contract, steps."""

    interface: InterfaceType
    step: str
    #: Automated work runs from the highest priority down; 0 runs only on request.
    priority: int = 0
    args: JsonObject = {}
    argsinfo: JsonObject = {}
    abortable: bool = False
    reboot_requested: bool = False
    requires_ramdisk: bool = True

    @property
    def key(self) -> tuple[InterfaceType, str]:
        return (self.interface, self.step)


#: Ties in priority go to the interface with the higher rank. Source: v1 contract, steps.ordering.
_RANK: Mapping[StepKind, tuple[InterfaceType, ...]] = {
    StepKind.SERVICE: (InterfaceType.NETWORK,),
    StepKind.VERIFY: (),
}
_COMMON = (
    InterfaceType.VENDOR, InterfaceType.POWER, InterfaceType.MANAGEMENT, InterfaceType.FIRMWARE,
    InterfaceType.DEPLOY, InterfaceType.BIOS, InterfaceType.RAID,
)  # fmt: skip
_VERIFY = (
    InterfaceType.POWER, InterfaceType.MANAGEMENT, InterfaceType.FIRMWARE, InterfaceType.INSPECT,
    InterfaceType.DEPLOY, InterfaceType.BOOT, InterfaceType.BIOS, InterfaceType.RAID, InterfaceType.VENDOR,
    InterfaceType.NETWORK, InterfaceType.STORAGE, InterfaceType.CONSOLE, InterfaceType.RESCUE,
)  # fmt: skip


def in_order(kind: StepKind, steps: Iterable[HardwareStep]) -> list[HardwareStep]:
    """The steps that run by themselves, first to last: by falling priority, then by interface rank."""
    ranks = _VERIFY if kind is StepKind.VERIFY else (*_RANK.get(kind, ()), *_COMMON)
    position = {interface: index for index, interface in enumerate(ranks)}
    wanted = (step for step in steps if step.priority > 0)
    return sorted(
        wanted, key=lambda step: (-step.priority, position.get(step.interface, len(ranks)), step.step)
    )
