"""Composition: which interfaces are enabled here, which fit a hardware type, and which a node gets.

Everything is checked once, when the process starts; afterwards looking up the driver of a node is a few
dictionary reads. Source: v1 contract, default interface rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from bessemer.config.load import BadSettings
from bessemer.config.settings import DefaultSettings
from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import Node
from bessemer.hardware.driver import Driver, Implementations
from bessemer.hardware.hardware_type import HARDWARE_TYPES, HardwareType, choose_default, usable
from bessemer.hardware.interface import Interface
from bessemer.kernel.error import InvalidValue


@dataclass(frozen=True, slots=True)
class EnabledType:
    """A hardware type as this process offers it: interfaces to choose from, and those of nodes that do not.

    A default of None means that every node must name its own interface.
    """

    name: str
    enabled: Mapping[InterfaceType, tuple[str, ...]]
    defaults: Mapping[InterfaceType, str | None]
    #: ``driver_info`` keys that the enabled interfaces read, each with a description.
    properties: Mapping[str, str]


_FIELDS = attrgetter("driver", *(kind.node_field for kind in InterfaceType))


def _choice_of(node: Node) -> tuple[str | None, ...]:
    """The hardware type and the interfaces that ``node`` names."""
    named: tuple[str | None, ...] = _FIELDS(node)
    if node.instance_info:  # where an instance may override them
        named = (node.driver, *(node.interface(kind) for kind in InterfaceType))
    return named


class Composition:
    """The enabled hardware types and interfaces of one process. They never change.

    Raises:
        BadSettings: A name that does not exist, or a hardware type left without an interface of some kind.
    """

    def __init__(self, settings: DefaultSettings, implementations: Implementations) -> None:
        self._settings = settings
        self._types = _enabled_types(settings)
        self._enabled = {kind: self._enable(kind, implementations) for kind in InterfaceType}
        self._offers = {name: self._offer(kind) for name, kind in self._types.items()}
        #: Drivers by what nodes name: a fleet has thousands of nodes and a handful of these.
        self._drivers: dict[tuple[str | None, ...], Driver] = {}

    # ------------------------------------------------------------------ what there is

    def hardware_types(self) -> Mapping[str, EnabledType]:
        """The enabled hardware types by name."""
        return self._offers

    def hardware_type(self, name: str) -> EnabledType:
        """Raises InvalidValue when ``name`` is not an enabled hardware type."""
        self._type(name)
        return self._offers[name]

    def registrations(self) -> list[ConductorInterface]:
        """Every usable combination: what a conductor announces to its peers and to API processes."""
        return [
            ConductorInterface(
                hardware_type=offer.name,
                interface_type=kind,
                interface_name=name,
                is_default=name == offer.defaults[kind],
            )
            for offer in self._offers.values()
            for kind, names in offer.enabled.items()
            for name in names
        ]

    # ------------------------------------------------------------------ what a node gets

    def driver_for(self, node: Node) -> Driver:
        """The interfaces that control ``node``; where it names none, the default.

        Raises:
            InvalidValue: The node names a hardware type or an interface that is not enabled here, or one
                that does not fit its hardware type.
        """
        asked = _choice_of(node)
        known = self._drivers.get(asked)
        if known is None:
            hardware_type = self._type(node.driver)
            chosen = {
                kind.value: self._pick(hardware_type, kind, node.interface(kind)) for kind in InterfaceType
            }
            known = self._drivers[asked] = Driver(hardware_type=node.driver, **_untyped(chosen))
        return known

    def fill_interfaces(self, driver: str, given: Mapping[str, str | None]) -> dict[str, str]:
        """All thirteen ``*_interface`` fields of a node: those ``given`` (checked), defaults for the rest.

        Raises:
            InvalidValue: As ``driver_for``, or no default exists for a field that was not given.
        """
        hardware_type = self._type(driver)
        return {
            kind.node_field: self._pick(hardware_type, kind, given.get(kind.node_field)).name
            for kind in InterfaceType
        }

    def change_driver(
        self, node: Node, driver: str, named: Mapping[str, str | None], *, reset_interfaces: bool = False
    ) -> dict[str, str]:
        """The ``*_interface`` fields of ``node`` under the hardware type ``driver``.

        Fields in ``named`` take that value (None: the default). The others stay as they are and must fit the
        new type, or are all reset to its defaults with ``reset_interfaces``. Also right when the hardware
        type stays the same and only interfaces change.

        Raises:
            InvalidValue: As ``fill_interfaces``.
        """
        kept = {} if reset_interfaces else {k.node_field: getattr(node, k.node_field) for k in InterfaceType}
        return self.fill_interfaces(driver, {**kept, **named})

    # ------------------------------------------------------------------ inside

    def _type(self, name: str) -> HardwareType:
        found = self._types.get(name)
        if found is None:
            raise InvalidValue(
                f"Driver '{name}' is not enabled.", hint=f"Enabled drivers: {', '.join(sorted(self._types))}."
            )
        return found

    def _pick(self, hardware_type: HardwareType, kind: InterfaceType, name: str | None) -> Interface:
        enabled = self._enabled[kind]
        if name is None:
            name = self._offers[hardware_type.name].defaults[kind]
        if name is not None and name in enabled and hardware_type.supports(kind, name):
            return enabled[name]
        choices = [choice for choice in enabled if hardware_type.supports(kind, choice)]
        hint = f"Choose one of: {', '.join(choices)}."
        if name is None:
            raise InvalidValue(
                f"There is no default {kind} interface for driver '{hardware_type.name}'.", hint=hint
            )
        if name not in enabled:
            raise InvalidValue(f"The {kind} interface '{name}' is not enabled.", hint=hint)
        raise InvalidValue(
            f"The {kind} interface '{name}' does not fit driver '{hardware_type.name}'.", hint=hint
        )

    def _enable(self, kind: InterfaceType, implementations: Implementations) -> dict[str, Interface]:
        existing = {interface.name: interface for interface in implementations.get(kind)}
        names = self._settings.enabled(kind)
        if names is None:
            wanted = (name for t in self._types.values() for name in t.supported[kind])
            return {name: existing[name] for name in wanted if name in existing}
        unknown = [name for name in names if name not in existing]
        if unknown:
            raise BadSettings(
                f"[DEFAULT]enabled_{kind}_interfaces names what does not exist: {', '.join(unknown)}.",
                hint=f"There are: {', '.join(sorted(existing))}.",
            )
        return {name: existing[name] for name in names}

    def _offer(self, hardware_type: HardwareType) -> EnabledType:
        enabled = {kind: usable(hardware_type, kind, list(self._enabled[kind])) for kind in InterfaceType}
        for kind, names in enabled.items():
            if not names:
                raise BadSettings(
                    f"Hardware type '{hardware_type.name}' has no enabled {kind} interface.",
                    hint=f"Add one of {', '.join(hardware_type.supported[kind])} to "
                    f"[DEFAULT]enabled_{kind}_interfaces, or leave the hardware type out.",
                )
        return EnabledType(
            name=hardware_type.name,
            enabled=enabled,
            defaults={kind: self._default(hardware_type, kind) for kind in InterfaceType},
            properties=self._properties(enabled),
        )

    def _default(self, hardware_type: HardwareType, kind: InterfaceType) -> str | None:
        configured = self._settings.default(kind)
        if configured is not None and configured not in self._enabled[kind]:
            raise BadSettings(
                f"[DEFAULT]default_{kind}_interface is '{configured}', which is not enabled.",
                hint=f"Enabled: {', '.join(self._enabled[kind])}.",
            )
        return choose_default(hardware_type, kind, list(self._enabled[kind]), configured)

    def _properties(self, enabled: Mapping[InterfaceType, tuple[str, ...]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for kind, names in enabled.items():
            for name in names:
                found |= self._enabled[kind][name].properties()
        return dict(sorted(found.items()))


def _enabled_types(settings: DefaultSettings) -> dict[str, HardwareType]:
    names = settings.enabled_hardware_types
    if not names:
        raise BadSettings("[DEFAULT]enabled_hardware_types is empty: no machine could be controlled.")
    unknown = [name for name in names if name not in HARDWARE_TYPES]
    if unknown:
        raise BadSettings(
            f"[DEFAULT]enabled_hardware_types names what does not exist: {', '.join(unknown)}.",
            hint=f"There are: {', '.join(sorted(HARDWARE_TYPES))}.",
        )
    return {name: HARDWARE_TYPES[name] for name in names}


def _untyped(chosen: dict[str, Interface]) -> dict[str, Any]:
    """``Implementations`` has already tied each kind to its protocol; the type checker cannot see it here."""
    return chosen
