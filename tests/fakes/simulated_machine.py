"""A machine of fake hardware whose ramdisk really calls back, and whose disk remembers what was written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import BessemerError
from bessemer.kernel.secret import Secret
from bessemer.service.agent import AgentService, Heartbeat
from bessemer.service.caller import Caller
from bessemer.service.inspection import InspectionService
from bessemer.store.database import Database
from bessemer.store.node import get_node, merge_node
from fakes.agent import FakeAgent, fake_agent
from fakes.wait import until

CLEAN_STEPS = {
    "clean_steps": {
        "GenericHardwareManager": [
            {"step": "erase_devices_metadata", "priority": 99, "interface": "deploy"},
            {"step": "erase_devices", "priority": 10, "interface": "deploy"},
        ]
    },
    "hardware_manager_version": {"generic_hardware_manager": "1.2"},
}
#: What the ramdisk finds: two network cards, of which it booted from the first.
CARDS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
REPORT: dict[str, Any] = {
    "inventory": {
        "interfaces": [
            {"name": "eth0", "mac_address": CARDS[0], "ipv4_address": "192.0.2.8", "has_carrier": True},
            {"name": "eth1", "mac_address": CARDS[1].upper(), "ipv4_address": None, "has_carrier": False},
        ],
        "cpu": {"count": 4, "architecture": "x86_64"},
        "memory": {"physical_mb": 2048},
        "disks": [{"name": "/dev/sda", "size": 20 * 2**30}, {"name": "/dev/sdb", "size": 10 * 2**30}],
        "boot": {"current_boot_mode": "uefi", "pxe_interface": None},
        "system_vendor": {"manufacturer": "QEMU", "product_name": "Standard PC", "serial_number": "1"},
    },
    "root_disk": {"name": "/dev/sda", "size": 20 * 2**30},
    "boot_interface": None,
}
COMMANDS = {
    "clean.get_clean_steps": CLEAN_STEPS,
    "clean.execute_clean_step": {"clean_result": None},
    "deploy.get_deploy_steps": {"deploy_steps": {}, "hardware_manager_version": {}},
    "deploy.execute_deploy_step": {"deploy_result": None},
    "standby.get_partition_uuids": {"root uuid": "r", "efi system partition uuid": "e"},
    "image.install_bootloader": None,
    "service.get_service_steps": {
        "service_steps": {
            "GenericHardwareManager": [
                {"step": "burnin_cpu", "priority": 0, "interface": "deploy", "abortable": True},
                {"step": "burnin_disk", "priority": 0, "interface": "deploy"},
            ]
        },
        "hardware_manager_version": {"generic_hardware_manager": "1.2"},
    },
    "service.execute_service_step": {"service_result": None},
    "rescue.finalize_rescue": None,
    "system.lockdown": None,
    "standby.sync": None,
    "standby.power_off": None,
}
_INSPECTING = (ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT)


@dataclass
class SimulatedMachine:
    """Boots the ramdisk when it is on and told to, and goes off when the agent is told to power off."""

    agent: FakeAgent
    database: Database
    agents: AgentService
    node_uuid: str
    #: Whether a booted ramdisk finds its way to the service.
    calls_back: bool = True
    #: Which boot is the first that comes that far.
    calls_back_from: int = 1
    boots: int = 0
    #: What a ramdisk that is booted for inspection reports.
    inspections: InspectionService | None = None
    report: dict[str, Any] = field(default_factory=lambda: deepcopy(REPORT))
    #: For tests that answer commands themselves: with what, one after the other.
    answers: list[str] = field(default_factory=list)
    _seen_key: str = field(default="", repr=False)
    _obeyed: int = 0

    def commands(self, name: str) -> list[dict[str, Any]]:
        """Commands of that name that the agent was given, in order."""
        return [c for c in self.agent.commands if c["command_name"] == name]

    @property
    def images_written(self) -> int:
        return sum(c["params"]["step"]["step"] == "write_image" for c in self.commands("execute_deploy_step"))

    async def beat(self) -> None:
        """One more heartbeat of the ramdisk that runs."""
        await self.agents.heartbeat(
            Caller(is_trusted=True),
            self.node_uuid,
            Heartbeat(callback_url=self.agent.url, token=Secret(self.agent.token), version="11.4.0"),
        )

    async def has_seen_its_start(self) -> None:
        """Wait until it knows the start that it was given last."""
        async with self.database.read() as tx:
            key = (await get_node(tx, self.node_uuid)).driver_internal_info["boot_key"]
        await until(lambda: self._seen_key == key)

    async def live(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(0.01)
            try:
                await self._tick()
            except BessemerError:
                continue  # refused or gone: a ramdisk simply tries again

    async def _tick(self) -> None:
        async with self.database.read() as tx:
            node = await get_node(tx, self.node_uuid)
        facts = node.driver_internal_info
        if facts.get("fake_power") != "power on":
            # What a ramdisk was told twice is no concern of the next one.
            self._obeyed = len(self.commands("power_off"))
            return
        if self._is_told_to_leave():
            async with self.database.write() as tx:
                await merge_node(tx, self.node_uuid, "driver_internal_info", {"fake_power": "power off"})
            return
        in_ramdisk = facts.get("fake_boot", {}).get("from") == "ramdisk"
        if not in_ramdisk or not facts.get("boot_key"):
            return
        if facts["boot_key"] != self._seen_key:
            self._seen_key = facts["boot_key"]
            self.boots += 1
        if self.calls_back and self.boots >= self.calls_back_from and not facts.get("agent_url"):
            if node.provision_state in _INSPECTING and self.inspections:
                await self.tell()
            await self._call_back(facts)

    async def tell(self) -> None:
        """The inspection callback of the ramdisk that runs."""
        assert self.inspections is not None
        await self.inspections.report(
            Caller(is_trusted=True), self.report, node_uuid=self.node_uuid, hands_out_token=True
        )

    def _is_told_to_leave(self) -> bool:
        """Each power_off command is obeyed once."""
        told = len(self.commands("power_off"))
        is_new, self._obeyed = told > self._obeyed, told
        return is_new

    async def _call_back(self, facts: dict[str, Any]) -> None:
        self.agent.token = facts["agent_secret_token"]
        await self.agents.heartbeat(
            Caller(is_trusted=True),
            self.node_uuid,
            Heartbeat(
                callback_url=self.agent.url,
                token=Secret(self.agent.token),
                version="11.4.0",
                verify_ca=self.agent.certificate.pem,
            ),
        )


@asynccontextmanager
async def simulated_machine(
    directory: Path,
    database: Database,
    agents: AgentService,
    node_uuid: str,
    inspections: InspectionService | None = None,
) -> AsyncIterator[SimulatedMachine]:
    async with fake_agent(directory) as agent:
        agent.known = dict(COMMANDS)
        agent.long = set()
        machine = SimulatedMachine(agent, database, agents, node_uuid, inspections=inspections)
        living = asyncio.create_task(machine.live())
        try:
            yield machine
        finally:
            living.cancel()
            await asyncio.wait((living,))
