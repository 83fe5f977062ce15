"""Drivers: what the live conductors offer, and what each of them wants to know of a machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer.domain.node import Node
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Driver
from bessemer.hardware.interface import VendorMethod
from bessemer.kernel.error import NotFound, Unsupported
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService, DriverOffer
from bessemer.service.deadline import in_time
from bessemer.service.passthru import Passthru, check_args, check_method


class DriverService:
    def __init__(self, conductors: ConductorService, composition: Composition) -> None:
        self._conductors = conductors
        self._composition = composition

    async def list(self, caller: Caller) -> Sequence[DriverOffer]:
        """Those offered by at least one live conductor, by name."""
        caller.check()
        offers = (await self._conductors.landscape()).drivers
        return [offers[name] for name in sorted(offers)]

    async def get(self, caller: Caller, name: str) -> DriverOffer:
        """Raises NotFound."""
        return await self._conductors.get_driver(caller, name)

    async def get_properties(self, caller: Caller, name: str) -> Mapping[str, str]:
        """The ``driver_info`` keys the driver reads, each with a description. Raises NotFound."""
        await self._conductors.get_driver(caller, name)
        offered = self._composition.hardware_types().get(name)
        if offered is None:
            raise _elsewhere(name)
        return offered.properties

    async def get_raid_properties(self, caller: Caller, name: str) -> Mapping[str, str]:
        """The members of a logical disk that the driver's default RAID interface knows.

        Raises:
            NotFound: No such driver, or it has no RAID.
        """
        driver = await self._default(caller, name)
        try:
            return driver.raid.logical_disk_properties()
        except Unsupported as error:
            raise NotFound(str(error)) from error

    async def list_vendor_methods(self, caller: Caller, name: str) -> Mapping[str, VendorMethod]:
        """Passthru methods that need no node. Raises NotFound."""
        return (await self._default(caller, name)).vendor.driver_methods()

    async def call_vendor_method(
        self, caller: Caller, name: str, method: str, http_method: str, args: Any
    ) -> Passthru:
        """Raises NotFound, InvalidValue, or what the driver raises."""
        vendor = (await self._default(caller, name)).vendor
        found = check_method(vendor.driver_methods(), method, http_method)
        result = await in_time(
            vendor.call_driver(method, http_method, check_args(args)), "call the vendor method"
        )
        return Passthru(found.is_async, result)

    async def _default(self, caller: Caller, name: str) -> Driver:
        """The interfaces of a node that names none."""
        await self._conductors.get_driver(caller, name)
        if name not in self._composition.hardware_types():
            raise _elsewhere(name)
        return self._composition.driver_for(Node(uuid="", driver=name, created_at=""))


def _elsewhere(name: str) -> NotFound:
    return NotFound(f"Driver '{name}' is offered by another conductor, not by this process.")
