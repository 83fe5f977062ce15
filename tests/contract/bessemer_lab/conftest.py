"""A lab whose machines are simulated, and a client for their BMCs."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bessemer_lab.lab import Lab
from bessemer_lab.machine import DiskBus, DiskSpec, Machine, MachineSpec, NicSpec
from bessemer_lab.simulated import SimulatedVm
from fakes.bmc_client import Client

SPEC = MachineSpec(
    name="node-0",
    memory_mib=2048,
    processors=2,
    disks=(
        DiskSpec(size_gib=10, serial="SER-0", wwn=0x5000C50012345678, model="TEST-DISK", rotation_rate=7200),
        DiskSpec(size_gib=20, bus=DiskBus.NVME),
    ),
    nics=(NicSpec(mac="52:54:00:aa:00:01"), NicSpec(is_connected=False)),
)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab(tmp_path / "lab") as lab:
        yield lab


@pytest.fixture
async def machine(lab: Lab) -> Machine:
    return await lab.add(SPEC, simulated=True)


@pytest.fixture
def vm(machine: Machine) -> SimulatedVm:
    assert isinstance(machine.vm, SimulatedVm)
    return machine.vm


@pytest.fixture
async def client(machine: Machine) -> AsyncIterator[Client]:
    trust = ssl.create_default_context(cafile=str(machine.certificate_path))
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), timeout=timeout) as session:
        yield Client(machine, session)
