"""A virtual machine without a virtual machine: every event of a real one, no guest and no cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bessemer_lab.error import PowerLost, VmError
from bessemer_lab.spec import BootDevice
from bessemer_lab.vm import VmEvent, VmListener, VmSetup


@dataclass(slots=True)
class SimulatedVm:
    """A ``VirtualMachine`` that only keeps books; tests and fleets change its behaviour and read its past."""

    #: Seconds from a request to its effect.
    start_delay_s: float = 0.0
    stop_delay_s: float = 0.0
    #: Whether the guest shuts down when the power button is pressed.
    honours_power_button: bool = True
    #: The next starts fail with this message; empty for none.
    start_failure: str = ""
    is_running: bool = False
    #: The boot order each boot began with.
    boots: list[tuple[BootDevice, ...]] = field(default_factory=list)
    setups: list[VmSetup] = field(default_factory=list)
    medium: Path | None = None
    nmi_count: int = 0
    button_count: int = 0
    _next_order: tuple[BootDevice, ...] = ()
    _listener: VmListener = lambda _: None

    def listen(self, listener: VmListener) -> None:
        self._listener = listener

    async def start(self, setup: VmSetup) -> None:
        await asyncio.sleep(self.start_delay_s)
        if self.start_failure:
            raise VmError(self.start_failure)
        self.setups.append(setup)
        self.medium = setup.medium
        self._next_order = tuple(setup.boot_order)
        self.is_running = True
        self.boots.append(self._next_order)

    async def stop(self) -> None:
        if self.is_running:
            await asyncio.sleep(self.stop_delay_s)
            self.lose_power()

    async def reset(self) -> None:
        self._require_power()
        self.reboot()

    async def press_power_button(self) -> None:
        self._require_power()
        self.button_count += 1
        if self.honours_power_button:
            asyncio.get_running_loop().call_later(self.stop_delay_s, self.lose_power)

    async def inject_nmi(self) -> None:
        self._require_power()
        self.nmi_count += 1

    async def set_boot_order(self, order: Sequence[BootDevice]) -> None:
        self._require_power()
        self._next_order = tuple(order)

    async def change_medium(self, image: Path | None) -> None:
        self._require_power()
        self.medium = image

    def reboot(self) -> None:
        """The guest reboots."""
        self.boots.append(self._next_order)
        self._listener(VmEvent.RESET)

    def lose_power(self) -> None:
        """The guest powers off, or somebody pulls the plug."""
        if self.is_running:
            self.is_running = False
            self._listener(VmEvent.STOPPED)

    def eject(self) -> None:
        """The guest opens the tray."""
        self._listener(VmEvent.EJECTED)

    def _require_power(self) -> None:
        if not self.is_running:
            raise PowerLost("the machine has no power")
