"""CPU of one power-state read through our Redfish client, against the same GET with nothing but aiohttp.

The BMC is the lab's, in a process of its own, over TLS; every client keeps its connection. Tells microseconds
of CPU per read and the ratio to the bare GET.
"""

import argparse
import asyncio
import base64
import ssl
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from redfish.aio import AsyncRedfishClient

from bessemer.config.settings import RedfishSettings
from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.power import RedfishPower
from bessemer_lab.bmc import Bmc
from bessemer_lab.bmc.certificate import ensure_certificate
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.port import PortReservation
from bessemer_lab.record import MachineRecord
from bessemer_lab.simulated import SimulatedVm
from bessemer_lab.spec import MachineSpec

USERNAME, PASSWORD = "admin", "bench"
UUID = "11111111-2222-4333-8444-555555555555"
SYSTEM = f"/redfish/v1/Systems/{UUID}"


class NodeInMemory:
    """A ``hardware.interface.Task`` that is only read."""

    ports: tuple[Port, ...] = ()

    def __init__(self, node: Node) -> None:
        self.node = node

    async def save(self, **changes: object) -> None:
        raise NotImplementedError

    async def remember(self, **facts: object) -> None:
        raise NotImplementedError


async def serve(directory: Path, port: int) -> None:
    spec = MachineSpec(name="bench").resolve(UUID)
    board = Mainboard(spec, MachineRecord(uuid=UUID), directory, SimulatedVm())
    board.open()
    await Bmc(board, username=USERNAME, password=PASSWORD, port=port).open(*ensure_certificate(directory))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def measure(name: str, rounds: int, read: Callable[[], Awaitable[object]], bare_us: float) -> float:
    """CPU of this process per call, in microseconds: the best of five runs."""
    best = float("inf")
    for _ in range(5):
        await read()
        began = time.process_time()
        for _ in range(rounds):
            await read()
        best = min(best, (time.process_time() - began) / rounds * 1e6)
    ratio = f"{best / bare_us:5.2f} x" if bare_us else ""
    sys.stdout.write(f"{name:<44} {best:7.0f} us {ratio}\n")
    return best


async def compare(origin: str, certificate: Path, rounds: int) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    account = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {account}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:

        async def bare() -> bytes:
            async with session.get(origin + SYSTEM, headers=headers) as response:
                return await response.read()

        bare_us = await measure("aiohttp, GET and nothing else", rounds, bare, 0.0)
        client = AsyncRedfishClient(origin, USERNAME, PASSWORD, session=session)
        await client.login()

        async def dmtf() -> object:
            return (await client.get(SYSTEM)).dict

        await measure("DMTF's redfish.aio, GET and json", rounds, dmtf, bare_us)
        await client.logout()
    await compare_ours(origin, certificate, rounds, bare_us)


async def compare_ours(origin: str, certificate: Path, rounds: int, bare_us: float) -> None:
    info = {
        "redfish_address": origin,
        "redfish_username": USERNAME,
        "redfish_password": PASSWORD,
        "redfish_verify_ca": str(certificate),
    }
    node = Node(uuid=UUID, driver="redfish", created_at="2026-01-01T00:00:00.000000+00:00", driver_info=info)
    task = NodeInMemory(node)
    pool = BmcPool(RedfishSettings())
    power = RedfishPower(pool)
    await measure("ours, power state of a node", rounds, lambda: power.get_power_state(task), bare_us)
    await pool.close()


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        reservation = PortReservation()
        command = (sys.executable, __file__, "--serve", name, "--port", str(reservation.port))
        server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            if server.stdout is not None:
                await server.stdout.readline()
            await compare(f"https://127.0.0.1:{reservation.port}", directory / "bmc.crt", rounds)
        finally:
            server.terminate()
            await server.wait()
            reservation.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="reads per run (default 1000)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(serve(options.serve, options.port) if options.serve else main(options.rounds))
