"""Asking a machine, and small changes that are done while the caller waits: boot device, indicators, NMI,
validation. A conductor makes the calls; see ``machine``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import BootDevice
from bessemer.service.caller import Caller
from bessemer.service.machine import MachineCall, MachineService
from bessemer.service.node_access import NodeAccess


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one interface could work with the node's settings. None: the machine has no such thing."""

    result: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """A light of the machine; ``states`` are those it can be given."""

    component: str
    name: str
    is_readonly: bool
    states: Sequence[str]


class ManagementService:
    """Every call raises NotFound for a node that is not there, and what ``MachineService`` raises."""

    def __init__(self, access: NodeAccess, machines: MachineService) -> None:
        self._access = access
        self._machines = machines

    async def validate(self, caller: Caller, ident: str) -> Mapping[InterfaceType, Verdict]:
        """Whether each interface has the settings it needs. Nothing is asked of the machine."""
        node = await self._access.get(caller, ident)
        verdicts = await self._machines.ask(caller, node, MachineCall("validate", "get validated"))
        return {InterfaceType(kind): Verdict(*verdict) for kind, verdict in verdicts.items()}

    async def get_boot_device(self, caller: Caller, ident: str) -> tuple[BootDevice | None, bool | None]:
        """The device the machine boots from next, and whether for good."""
        node = await self._access.get(caller, ident)
        device, persistent = await self._machines.ask(
            caller, node, MachineCall("get boot device", "tell its boot device")
        )
        return BootDevice(device) if device else None, persistent

    async def list_boot_devices(self, caller: Caller, ident: str) -> Sequence[BootDevice]:
        """Those that can be set."""
        node = await self._access.get(caller, ident)
        devices = await self._machines.ask(
            caller, node, MachineCall("list boot devices", "tell its boot devices")
        )
        return [BootDevice(device) for device in devices]

    async def set_boot_device(
        self, caller: Caller, ident: str, device: BootDevice, *, persistent: bool
    ) -> None:
        """Idempotent. Raises InvalidValue when the driver does not support this device."""
        node = await self._access.get(caller, ident)
        given = {"device": device.value, "persistent": persistent}
        await self._machines.tell(caller, node, MachineCall("set boot device", "take the boot device", given))

    async def inject_nmi(self, caller: Caller, ident: str) -> None:
        """Interrupt the machine."""
        node = await self._access.get(caller, ident)
        await self._machines.tell(caller, node, MachineCall("inject NMI", "take the interrupt"))

    async def list_indicators(self, caller: Caller, ident: str) -> Sequence[Indicator]:
        node = await self._access.get(caller, ident)
        found: Mapping[str, Mapping[str, Mapping[str, Any]]] = await self._machines.ask(
            caller, node, MachineCall("list indicators", "tell its indicators")
        )
        return [
            Indicator(component, name, bool(one.get("readonly")), one.get("states", ()))
            for component, indicators in found.items()
            for name, one in indicators.items()
        ]

    async def get_indicator(self, caller: Caller, ident: str, component: str, indicator: str) -> str:
        """Its state: off, on, blinking or unknown. Raises InvalidValue: there is no such indicator."""
        node = await self._access.get(caller, ident)
        given = {"component": component, "indicator": indicator}
        state: str = await self._machines.ask(
            caller, node, MachineCall("get indicator", "tell the state of the indicator", given)
        )
        return state

    async def set_indicator(
        self, caller: Caller, ident: str, component: str, indicator: str, state: str
    ) -> None:
        """Idempotent. Raises InvalidValue: there is no such indicator, or it does not have this state."""
        node = await self._access.get(caller, ident)
        given = {"component": component, "indicator": indicator, "state": state}
        await self._machines.tell(caller, node, MachineCall("set indicator", "switch the indicator", given))
