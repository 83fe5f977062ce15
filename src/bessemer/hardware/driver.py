"""A driver: the thirteen interfaces through which one node is controlled, and the choice there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import cast

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.interface import (
    BiosInterface,
    BootInterface,
    ConsoleInterface,
    DeployInterface,
    FirmwareInterface,
    InspectInterface,
    Interface,
    ManagementInterface,
    NetworkInterface,
    PowerInterface,
    RaidInterface,
    RescueInterface,
    StorageInterface,
    VendorInterface,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One implementation per kind of interface."""

    hardware_type: str
    bios: BiosInterface
    boot: BootInterface
    console: ConsoleInterface
    deploy: DeployInterface
    firmware: FirmwareInterface
    inspect: InspectInterface
    management: ManagementInterface
    network: NetworkInterface
    power: PowerInterface
    raid: RaidInterface
    rescue: RescueInterface
    storage: StorageInterface
    vendor: VendorInterface

    def get(self, kind: InterfaceType) -> Interface:
        return cast("Interface", getattr(self, kind.value))

    def __iter__(self) -> Iterator[tuple[InterfaceType, Interface]]:
        return ((kind, self.get(kind)) for kind in InterfaceType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementations:
    """Every implementation there is, by kind: the one table in which they announce themselves."""

    bios: Sequence[BiosInterface] = ()
    boot: Sequence[BootInterface] = ()
    console: Sequence[ConsoleInterface] = ()
    deploy: Sequence[DeployInterface] = ()
    firmware: Sequence[FirmwareInterface] = ()
    inspect: Sequence[InspectInterface] = ()
    management: Sequence[ManagementInterface] = ()
    network: Sequence[NetworkInterface] = ()
    power: Sequence[PowerInterface] = ()
    raid: Sequence[RaidInterface] = ()
    rescue: Sequence[RescueInterface] = ()
    storage: Sequence[StorageInterface] = ()
    vendor: Sequence[VendorInterface] = ()

    def get(self, kind: InterfaceType) -> Sequence[Interface]:
        return cast("Sequence[Interface]", getattr(self, kind.value))

    def joined(self, other: "Implementations") -> "Implementations":
        """Those of both tables (network and storage interfaces live in packages of their own)."""
        both = {f.name: (*getattr(self, f.name), *getattr(other, f.name)) for f in fields(self)}
        return Implementations(**both)
