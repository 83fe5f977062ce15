"""A machine of a lab, as its users see it."""

from dataclasses import dataclass, field
from pathlib import Path

from bessemer_lab.bmc import Bmc, Faults, RequestJournal
from bessemer_lab.boot import BootSetting
from bessemer_lab.console import Console
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.power import PowerState, ResetType
from bessemer_lab.qemu import GUEST_GATEWAY
from bessemer_lab.spec import BootDevice, DiskBus, DiskSpec, Firmware, MachineSpec, NicSpec
from bessemer_lab.vm import VirtualMachine

__all__ = [
    "BootDevice",
    "DiskBus",
    "DiskSpec",
    "Firmware",
    "Machine",
    "MachineSpec",
    "NicSpec",
    "PowerState",
    "ResetType",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine: how to reach it, and its parts for tests that look behind the BMC."""

    #: Resolved: MAC addresses, serials and WWNs are those the guest sees.
    spec: MachineSpec
    board: Mainboard
    #: What runs it: a ``QemuVm`` or a ``SimulatedVm``.
    vm: VirtualMachine
    bmc: Bmc
    console: Console
    #: https://127.0.0.1:PORT
    bmc_url: str
    username: str
    password: str = field(repr=False)
    #: Trust this file to verify the BMC.
    certificate_path: Path
    #: Forwarded from 127.0.0.1 to the deploy agent's API (port 9999) in the guest.
    agent_port: int
    #: TCP port of the serial console; 0 when the machine has none.
    console_port: int = 0

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def uuid(self) -> str:
        return self.board.uuid

    @property
    def system_path(self) -> str:
        """Of the Redfish computer system."""
        return f"/redfish/v1/Systems/{self.uuid}"

    @property
    def console_path(self) -> Path:
        """The log of the serial console, across every boot."""
        return self.console.log_path

    @property
    def console_socket(self) -> Path:
        """The serial console itself, while the machine is on; one client at a time."""
        return self.console.socket_path

    @property
    def guest_gateway(self) -> str:
        """The host's loopback interface as the guest sees it."""
        return GUEST_GATEWAY

    @property
    def macs(self) -> tuple[str, ...]:
        return tuple(nic.mac for nic in self.spec.nics)

    @property
    def mac(self) -> str:
        """The first MAC address."""
        return self.macs[0]

    @property
    def faults(self) -> Faults:
        """What goes wrong with the BMC."""
        return self.bmc.faults

    @property
    def requests(self) -> RequestJournal:
        """What the BMC was asked."""
        return self.bmc.requests

    @property
    def power_state(self) -> PowerState:
        return self.board.power_state

    async def set_boot(self, setting: BootSetting) -> None:
        """Set the boot override, without asking the BMC."""
        await self.board.set_boot(setting)

    async def power_on(self, *, timeout_s: float = 60.0) -> None:
        """Give power, without asking the BMC. Idempotent; raises LabError when it does not come."""
        self.board.request_reset(ResetType.ON)
        await self.board.wait_for_power(PowerState.ON, timeout_s=timeout_s)

    async def power_off(self, *, timeout_s: float = 60.0) -> None:
        """Take the power away, without asking the BMC. Idempotent."""
        self.board.request_reset(ResetType.FORCE_OFF)
        await self.board.wait_for_power(PowerState.OFF, timeout_s=timeout_s)
