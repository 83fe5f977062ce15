"""What is measured: a simulated fleet in one process, Bessemer in another with a node for each server."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from bench.api.server import Server, free_port, started

from bessemer.config.load import load_settings
from bessemer.domain.node import Node
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import timestamp
from bessemer.kernel.ident import new_uuid
from bessemer.server.foundation import open_foundation
from bessemer.store.node import create_node
from bessemer_lab.fleet import Pace
from bessemer_lab.fleet.machine import address_of

_SETTINGS = """\
[DEFAULT]
host = bench
state_path = {directory}/state
enabled_hardware_types = redfish
[api]
port = {port}
[conductor]
sync_power_state_interval = {interval_s}
automated_clean = false
deploy_kernel = file://{directory}/kernel
deploy_ramdisk = file://{directory}/ramdisk
file_url_allowed_paths = {directory}
[database]
connection = {database}
"""
_BATCH = 500
_IMAGE_BYTES = 64 * 1024


@dataclass(frozen=True)
class World:
    """``uuids`` are the nodes', by the number of their server. ``image`` is what deployments write."""

    service: Server
    url: str
    simulator: str
    uuids: list[str]
    image: dict[str, str]
    lag: Path

    async def calls(self, session: aiohttp.ClientSession) -> dict[str, int]:
        """What the simulator counts (``bessemer_lab.fleet.control``): calls by kind, and ``writes``."""
        async with session.get(self.simulator, ssl=False) as answer:
            told = await answer.json()
        return {**told["calls"], "writes": told["writes"], "with_instance": told["with_instance"]}

    def lags(self, since: float, until: float) -> list[float]:
        """Delays of the event loop between two moments, in seconds."""
        rows = (line.split() for line in self.lag.read_text().splitlines())
        return [float(lag) for at, lag in rows if since <= float(at) <= until]


@asynccontextmanager
async def world(directory: Path, database: str, nodes: int, interval_s: int) -> AsyncIterator[World]:
    image = write_images(directory)
    with simulator(directory, nodes) as told:
        port = free_port()
        config = directory / "bessemer.conf"
        config.write_text(
            _SETTINGS.format(directory=directory, port=port, interval_s=interval_s, database=database)
        )
        uuids = await _enrol(config, nodes, told)
        command = [sys.executable, "-m", "bench.fleet.served", str(config), str(directory / "lag")]
        log = directory / "bessemer.log"
        environment = {name: held for name, held in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with started(command, port, "/v1/nodes?limit=1", log, environment) as service:
            yield World(
                service,
                f"http://127.0.0.1:{port}",
                told["control_url"],
                uuids,
                image,
                directory / "lag",
            )


def write_images(directory: Path) -> dict[str, str]:
    """A ramdisk that nobody boots and an image that nobody reads; ``instance_info`` that names it."""
    for name in ("kernel", "ramdisk"):
        (directory / name).write_bytes(name.encode() * 1000)
    image = directory / "image.raw"
    image.write_bytes(bytes(510) + b"\x55\xaa" + bytes(_IMAGE_BYTES - 512))
    return {
        "image_source": f"file://{image}",
        "image_checksum": hashlib.sha256(image.read_bytes()).hexdigest(),
    }


@contextmanager
def simulator(directory: Path, nodes: int) -> Iterator[dict[str, Any]]:
    """The fleet in a process of its own; what it says of itself (``bessemer_lab.fleet.command``)."""
    command = [str(Path(sys.executable).with_name("bessemer-lab")), "fleet", "--size", str(nodes)]
    command += ["--tls", str(directory), "--answer-s", str(Pace().answer_s)]
    with (directory / "fleet.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _enrol(config: Path, nodes: int, told: dict[str, Any]) -> list[str]:
    """Nodes as they are when enrolled, verified and made available: that work is not what is measured."""
    settings, _ = load_settings(config)
    uuids = [new_uuid() for _ in range(nodes)]
    first = {key: value for key, value in told["first"].items() if key.startswith("redfish_")}
    async with open_foundation(settings) as foundation:
        for begin in range(0, nodes, _BATCH):
            async with foundation.database.write() as tx:
                for number in range(begin, min(begin + _BATCH, nodes)):
                    address = f"https://{address_of(number)}:{told['port']}"
                    await create_node(
                        tx,
                        _node(
                            uuids[number], number, {**first, "redfish_address": address}, timestamp(tx.clock)
                        ),
                    )
    return uuids


def _node(uuid: str, number: int, driver_info: dict[str, object], now: str) -> Node:
    return Node(
        uuid=uuid,
        name=f"server-{number}",
        driver="redfish",
        created_at=now,
        driver_info=driver_info,
        provision_state=ProvisionState.AVAILABLE,
        power_state=PowerState.OFF,
        resource_class=f"class-{number % 10}",
        properties={"cpus": 64, "memory_mb": 524288, "local_gb": 3840, "cpu_arch": "x86_64"},
        extra={"rack": f"r{number % 40}", "unit": number % 42},
    )
