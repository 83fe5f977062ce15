"""The face of a virtual machine monitor: what a Mainboard needs of the thing that runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bessemer_lab.spec import BootDevice, Firmware


class VmEvent(StrEnum):
    """What happens to a running machine without, or after, a request of ours."""

    #: The processor was reset, by us or by the guest; a boot has begun.
    RESET = "reset"
    #: The machine has no power any more, whoever ended it.
    STOPPED = "stopped"
    #: The guest opened the tray of the CD drive.
    EJECTED = "ejected"


VmListener = Callable[[VmEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VmSetup:
    """With what a machine starts."""

    firmware: Firmware
    is_secure_boot: bool
    is_setup_mode: bool
    boot_order: Sequence[BootDevice]
    #: The image in the CD drive.
    medium: Path | None


class VirtualMachine(Protocol):
    """Runs one machine. Calls are made one at a time; events come on the event loop, in order.

    Every method raises VmError when the monitor fails; all but start() and stop() raise PowerLost when the
    machine has no power.
    """

    def listen(self, listener: VmListener) -> None:
        """Name the one receiver of events; before the first start."""

    async def start(self, setup: VmSetup) -> None:
        """Give power; return when the machine runs. Only while it has none. No RESET event for this boot."""

    async def stop(self) -> None:
        """Take the power away; return when it is off. Idempotent."""

    async def reset(self) -> None:
        """Reset the processor; return when it happened. The boot order last set counts."""

    async def press_power_button(self) -> None:
        """Ask the guest to shut down (ACPI); return at once."""

    async def inject_nmi(self) -> None:
        """Raise a non-maskable interrupt in the guest."""

    async def set_boot_order(self, order: Sequence[BootDevice]) -> None:
        """Set the order that counts from the next reset on."""

    async def change_medium(self, image: Path | None) -> None:
        """Put an image in the CD drive, or empty it, even when the guest has locked the tray."""
