"""A site of many processes: PostgreSQL, conductors, API processes, and a simulated fleet of machines."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from fakes.port import free_port
from fixture_database import PostgresqlServer, start_postgresql

#: What survives a crash of PostgreSQL, though not of the host: committed means written.
_DURABLE = "-c fsync=off -c full_page_writes=off -c max_connections=150"
CONDUCTORS = ("c1", "c2", "c3")
APIS = ("a1", "a2")
START_S = 120.0
HEADERS = {"X-OpenStack-Ironic-API-Version": "1.95"}
_PROGRAMS = Path(sys.executable).parent


@dataclass
class Program:
    """One process of the site, which may be lost and started again under the same name."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )

    async def end(self, number: signal.Signals) -> None:
        """Send a signal that ends it, and wait until it has ended."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await asyncio.wait_for(self.process.wait(), 60)

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None


@dataclass
class Cluster:
    """``fleet`` is the simulator's control address; ``machines`` describes its servers, in order."""

    directory: Path
    server: PostgresqlServer
    url: str
    programs: dict[str, Program] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    fleet: str = ""
    fleet_port: int = 0
    machines: list[dict[str, Any]] = field(default_factory=list)

    def conductors(self) -> list[Program]:
        return [program for name, program in self.programs.items() if name in CONDUCTORS]

    def apis(self) -> list[Program]:
        return [program for name, program in self.programs.items() if name in APIS]

    def endpoints(self) -> list[str]:
        return [f"http://127.0.0.1:{self.ports[program.name]}" for program in self.apis()]

    async def start(self, *names: str, programs: Path = _PROGRAMS) -> None:
        """Start processes, of the release whose commands lie in ``programs``; wait until they are there."""
        for name in names:
            self.programs[name] = _program(self, name, programs)
            await self.programs[name].start()
        async with asyncio.timeout(START_S), aiohttp.ClientSession(headers=HEADERS) as session:
            for endpoint in self.endpoints():
                while not await self._are_there(session, endpoint):  # noqa: ASYNC110  other processes
                    await asyncio.sleep(0.1)

    async def incarnation(self, name: str) -> str | None:
        """Of a conductor, as it last told the database; None while nobody can be asked."""
        asked = "SELECT incarnation FROM conductors WHERE hostname = $1"
        found: str | None = None
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(self.url, timeout=5)
            try:
                found = await connection.fetchval(asked, name, timeout=5)
            finally:
                await connection.close(timeout=5)
        return found

    async def answers(self, name: str) -> bool:
        """Whether an API process does."""
        url, limit = f"http://127.0.0.1:{self.ports[name]}/", aiohttp.ClientTimeout(total=5)
        try:
            async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _are_there(self, session: aiohttp.ClientSession, endpoint: str) -> bool:
        """Whether the API at ``endpoint`` answers and knows of every conductor that was started."""
        for program in self.programs.values():
            assert program.is_running, f"{program.name} ended at once; see {program.log}"
        try:
            async with session.get(f"{endpoint}/v1/conductors") as answer:
                alive = {one["hostname"] for one in (await answer.json())["conductors"] if one["alive"]}
        except (aiohttp.ClientError, KeyError):
            return False
        return alive >= {program.name for program in self.conductors()}

    def driver_info(self, number: int) -> dict[str, Any]:
        return {
            "redfish_address": f"http://{self.machines[number]['address']}:{self.fleet_port}",
            "redfish_system_id": "/redfish/v1/Systems/1",
            "redfish_username": "admin",
            "redfish_password": "password",
        }

    def instance_info(self) -> dict[str, str]:
        image = self.directory / "image.raw"
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        return {"image_source": f"file://{image}", "image_checksum": digest, "image_disk_format": "raw"}

    async def set_chance(self, error_share: float, hang_share: float, seed: int) -> None:
        """What goes wrong with calls to BMCs from now on."""
        body = {"error_share": error_share, "hang_share": hang_share, "seed": seed}
        async with aiohttp.ClientSession() as session, session.put(f"{self.fleet}/chance", json=body) as sent:
            sent.raise_for_status()

    async def ask_fleet(self, path: str = "") -> Any:
        """The simulator's answer: JSON, or a list of the JSON lines."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.fleet}{path}") as answer:
            text = await answer.text()
        is_lines = path.startswith("/changes")
        return [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)

    async def restart_database(self, mode: str) -> None:
        await asyncio.to_thread(self.server.restart, mode)


@asynccontextmanager
async def cluster(
    directory: Path, size: int, *, pace: Mapping[str, float], more: str = ""
) -> AsyncIterator[Cluster]:
    """A database and a fleet without faults; no process of ours yet. ``more`` is added to the settings."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(start_postgresql(_DURABLE))
        await server.command("CREATE DATABASE chaos")
        site = Cluster(directory, server, server.url("chaos"))
        for name in APIS:
            site.ports[name] = free_port()
        _write_settings(site, more)
        stack.push_async_callback(_end_all, site)
        await _start_fleet(site, size, pace)
        yield site


def _program(site: Cluster, name: str, programs: Path) -> Program:
    kind = "api" if name in APIS else "conductor"
    command = (str(programs / "bessemer"), kind, "--config-file", str(site.directory / "bessemer.ini"))
    port = site.ports.get(name, site.ports[APIS[0]])
    environment = {"OS_DEFAULT__HOST": name, "OS_API__PORT": str(port)}
    return Program(name, command, environment, site.directory / f"{name}.log")


def _write_settings(site: Cluster, more: str) -> None:
    directory, url = site.directory, f"http://127.0.0.1:{site.ports[APIS[0]]}"
    (directory / "kernel").write_bytes(b"k" * 1000)
    (directory / "ramdisk").write_bytes(b"r" * 1000)
    (directory / "image.raw").write_bytes(b"\0" * 510 + b"\x55\xaa" + b"\0" * 65024)
    (directory / "bessemer.ini").write_text(
        f"""[DEFAULT]
state_path = {directory / "state"}
enabled_hardware_types = redfish
[api]
api_workers = 1
[database]
connection = {site.url}
[conductor]
deploy_kernel = file://{directory / "kernel"}
deploy_ramdisk = file://{directory / "ramdisk"}
file_url_allowed_paths = {directory}
automated_clean = false
deploy_callback_timeout = 300
graceful_shutdown_timeout = 5
workers_pool_size = 60
[deploy]
http_url = {url}
external_http_url = {url}
external_callback_url = {url}
[agent]
require_tls = false
[redfish]
request_timeout = 5
connection_retry_interval = 1
{more}"""
    )


async def _start_fleet(site: Cluster, size: int, pace: Mapping[str, float]) -> None:
    command = [str(_PROGRAMS / "bessemer-lab"), "fleet", "--size", str(size)]
    command += [word for name, value in pace.items() for word in (f"--{name}-s", str(value))]
    with (site.directory / "fleet.log").open("a") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=log)
    site.programs["fleet"] = Program("fleet", tuple(command), {}, site.directory / "fleet.log", process)
    assert process.stdout is not None
    told = json.loads(await asyncio.wait_for(process.stdout.readline(), START_S))
    site.fleet, site.fleet_port = told["control_url"], told["port"]
    site.machines = await site.ask_fleet("/servers")


async def _end_all(site: Cluster) -> None:
    for program in site.programs.values():
        program.send(signal.SIGCONT)
        await program.end(signal.SIGKILL)
