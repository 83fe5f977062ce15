"""Hardware types: which interfaces each kind of machine can work with, best first.

The order inside a list is the order in which defaults are looked for. Names that nobody has implemented yet
stay in the lists, so that an operator's configuration means the same here as in Ironic.
Source: v1 contract, hardware types.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bessemer.domain.interface import InterfaceType

_I = InterfaceType
_Lists = Mapping[InterfaceType, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class HardwareType:
    """``accepts_any``: any enabled interface may be chosen; the lists then only serve for defaults."""

    name: str
    supported: _Lists
    accepts_any: bool = False

    def supports(self, kind: InterfaceType, name: str) -> bool:
        return self.accepts_any or name in self.supported[kind]


_GENERIC: _Lists = {
    _I.BOOT: ("ipxe", "pxe", "http-ipxe", "http"),
    _I.DEPLOY: ("autodetect", "direct", "ansible", "ramdisk", "anaconda", "bootc", "custom-agent"),
    _I.NETWORK: ("flat", "neutron", "ironic-networking", "noop"),
    _I.STORAGE: ("noop", "cinder", "external"),
    _I.BIOS: ("no-bios",),
    _I.CONSOLE: ("no-console", "fake-graphical"),
    _I.FIRMWARE: ("no-firmware",),
    _I.INSPECT: ("agent", "no-inspect"),
    _I.RAID: ("no-raid", "agent"),
    _I.RESCUE: ("no-rescue", "agent"),
    _I.VENDOR: ("no-vendor",),
}


def _first(kind: InterfaceType, *names: str) -> _Lists:
    return {kind: (*names, *_GENERIC[kind])}


def _last(kind: InterfaceType, *names: str) -> _Lists:
    return {kind: (*_GENERIC[kind], *names)}


FAKE_HARDWARE = HardwareType(
    "fake-hardware",
    {
        **_GENERIC,
        **_first(_I.BOOT, "fake"),
        **_first(_I.DEPLOY, "fake"),
        **_first(_I.BIOS, "fake"),
        **_first(_I.CONSOLE, "fake"),
        **_first(_I.FIRMWARE, "fake"),
        **_first(_I.INSPECT, "fake"),
        **_first(_I.RAID, "fake"),
        **_first(_I.RESCUE, "fake"),
        **_first(_I.STORAGE, "fake"),
        **_first(_I.VENDOR, "fake"),
        _I.MANAGEMENT: ("fake",),
        _I.POWER: ("fake",),
    },
    accepts_any=True,
)

IPMI = HardwareType(
    "ipmi",
    {
        **_GENERIC,
        **_first(_I.CONSOLE, "ipmitool-socat"),
        **_first(_I.VENDOR, "ipmitool"),
        _I.MANAGEMENT: ("ipmitool", "noop"),
        _I.POWER: ("ipmitool",),
    },
)

REDFISH = HardwareType(
    "redfish",
    {
        **_GENERIC,
        **_last(_I.BOOT, "redfish-virtual-media", "redfish-https"),
        **_first(_I.BIOS, "redfish"),
        **_first(_I.CONSOLE, "redfish-graphical", "ipmitool-socat"),
        **_first(_I.FIRMWARE, "redfish"),
        **_first(_I.INSPECT, "redfish"),
        **_first(_I.RAID, "redfish"),
        **_first(_I.VENDOR, "redfish"),
        _I.MANAGEMENT: ("redfish", "noop"),
        _I.POWER: ("redfish",),
    },
)

MANUAL_MANAGEMENT = HardwareType(
    "manual-management",
    {
        **_GENERIC,
        **_last(_I.DEPLOY, "noop"),
        _I.MANAGEMENT: ("noop", "fake"),
        _I.POWER: ("agent", "fake"),
    },
)

INTEL_IPMI = HardwareType("intel-ipmi", {**IPMI.supported, _I.MANAGEMENT: ("intel-ipmitool",)})

HARDWARE_TYPES: Mapping[str, HardwareType] = MappingProxyType(
    {kind.name: kind for kind in (FAKE_HARDWARE, IPMI, REDFISH, MANUAL_MANAGEMENT, INTEL_IPMI)}
)


def choose_default(
    hardware_type: HardwareType, kind: InterfaceType, enabled: Sequence[str], configured: str | None
) -> str | None:
    """The interface of a node that names none, or None when there is no answer.

    ``configured`` (``[DEFAULT]default_<kind>_interface``) is the only candidate when it is set: where the
    hardware type does not support it there is no default, even if another interface would fit.
    """
    if configured is not None:
        is_possible = configured in enabled and hardware_type.supports(kind, configured)
        return configured if is_possible else None
    return next((name for name in hardware_type.supported[kind] if name in enabled), None)


def usable(hardware_type: HardwareType, kind: InterfaceType, enabled: Sequence[str]) -> tuple[str, ...]:
    """The enabled interfaces in the type's list, in the type's order."""
    return tuple(name for name in hardware_type.supported[kind] if name in enabled)
