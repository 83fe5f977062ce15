"""The reference with the same fleet: Ironic 39, one process, hardware type redfish, power sync as often."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from bench.api.server import free_port
from bench.fleet import load
from bench.fleet.world import World, simulator, write_images
from bench.ironic import server
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bessemer.kernel.ident import new_uuid
from bessemer_lab.bmc.certificate import ensure_certificate
from bessemer_lab.fleet.machine import address_of

# Interfaces that need no other service. What concerns the sweep is as Ironic has it by default, but for the
# interval, which is the one Bessemer is given, and the workers, if they are said.
_SETTINGS = """\
[DEFAULT]
host = bench
auth_strategy = noauth
rpc_transport = none
use_stderr = true
state_path = {directory}
tempdir = {directory}
enabled_hardware_types = redfish
enabled_bios_interfaces = no-bios
enabled_boot_interfaces = redfish-virtual-media
enabled_console_interfaces = no-console
enabled_deploy_interfaces = direct
enabled_firmware_interfaces = no-firmware
enabled_inspect_interfaces = no-inspect
enabled_management_interfaces = redfish
enabled_network_interfaces = noop
default_network_interface = noop
enabled_power_interfaces = redfish
enabled_raid_interfaces = no-raid
enabled_rescue_interfaces = no-rescue
enabled_vendor_interfaces = no-vendor
[agent]
certificates_path = {directory}
[api]
host_ip = 127.0.0.1
port = {port}
[conductor]
automated_clean = false
sync_power_state_interval = {interval_s}
{more}
bootloader = file://{directory}/kernel
deploy_kernel = file://{directory}/kernel
deploy_ramdisk = file://{directory}/ramdisk
file_url_allowed_paths = {directory}
[database]
connection = {database}
[deploy]
http_root = {directory}/http
http_url = {http_url}
[oslo_concurrency]
lock_path = {directory}/lock
[service_catalog]
endpoint_override = http://127.0.0.1:{port}
"""
_WORKERS = "sync_power_state_workers = {workers}\nperiodic_max_workers = {workers}"
_AVAILABLE = """\
UPDATE nodes SET provision_state = 'available', power_state = 'power off', boot_mode = 'uefi', health = 'OK'
"""
#: Nodes are enrolled by this many callers at once.
_CALLERS = 4


@asynccontextmanager
async def ironic_world(
    programs: Path,
    directory: Path,
    database: str,
    nodes: int,
    interval_s: int,
    *,
    workers: int | None = None,
    deployments: int = 0,
) -> AsyncIterator[World]:
    """A running Ironic with a node for each of ``nodes`` simulated servers.

    ``workers`` look after power at once; None leaves that at its default. The first ``deployments`` servers
    have agents that can be verified.
    """
    image = write_images(directory)
    environment = _environment(directory)
    # Ironic verifies agents by the certificates they send; one that stands for all names all their addresses.
    addresses = tuple(address_of(number) for number in range(deployments))
    ensure_certificate(directory, "fleet", is_authority=False, addresses=addresses)
    address = database.replace("postgresql:", "postgresql+psycopg2:")
    more = (
        "" if workers is None else f"sync_power_state_workers = {workers}\nperiodic_max_workers = {workers}"
    )
    async with _files_served(directory) as http_url:
        port = free_port()
        values = {"directory": directory, "port": port, "database": address, "http_url": http_url}
        image["image_source"] = f"{http_url}/{Path(image['image_source']).name}"
        with simulator(directory, nodes) as told:
            settings = directory / "ironic.conf"
            settings.write_text(_SETTINGS.format(**values, interval_s=0, more=more))
            server.create_schema(programs, settings, environment)
            with server.running(programs, settings, port, environment):
                uuids = await _enrol(f"http://127.0.0.1:{port}", told)
            await _make_available(database)
            settings.write_text(_SETTINGS.format(**values, interval_s=interval_s, more=more))
            with server.running(programs, settings, port, environment) as service:
                url = f"http://127.0.0.1:{port}"
                yield World(service, url, told["control_url"], uuids, image, directory / "lag")


def _environment(directory: Path) -> dict[str, str]:
    """Ironic makes boot media with ``mkisofs``; xorriso is that too, when it is called so.

    Raises:
        RuntimeError: There is no xorriso; ``./setup.sh`` installs it.
    """
    xorriso = shutil.which("xorrisofs")
    if xorriso is None:
        raise RuntimeError("xorriso is needed to make boot media for Ironic; ./setup.sh installs it")
    programs = directory / "programs"
    programs.mkdir()
    (programs / "mkisofs").symlink_to(xorriso)
    return {**server.environment(), "PATH": f"{programs}:{os.environ['PATH']}"}


@asynccontextmanager
async def _files_served(directory: Path) -> AsyncIterator[str]:
    """The web server that operators of Ironic have for its images; its URL."""
    root = directory / "http"
    root.mkdir()
    (root / "image.raw").symlink_to(directory / "image.raw")
    application = web.Application()
    application.router.add_static("/", root, follow_symlinks=True)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _enrol(url: str, told: dict[str, Any]) -> list[str]:
    """A node with a port for each server, since that is what agents are known by; their UUIDs."""
    async with load.client() as session:
        async with session.get(f"{told['control_url']}/servers", ssl=False) as answer:
            servers = await answer.json()
        uuids = [new_uuid() for _ in servers]
        waiting = iter(servers)

        async def enrol() -> None:
            for one in waiting:
                uuid = uuids[one["number"]]
                await load.call(session, "POST", f"{url}/v1/nodes", _node(uuid, one, told))
                port = {"node_uuid": uuid, "address": one["mac"]}
                await load.call(session, "POST", f"{url}/v1/ports", port)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(enrol())
    return uuids


def _node(uuid: str, one: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    number = one["number"]
    first = {name: value for name, value in told["first"].items() if name.startswith("redfish_")}
    return {
        "uuid": uuid,
        "name": f"server-{number}",
        "driver": "redfish",
        "driver_info": {**first, "redfish_address": f"https://{one['address']}:{told['port']}"},
        "resource_class": f"class-{number % 10}",
        "properties": {
            "cpus": 64,
            "memory_mb": 524288,
            "local_gb": 3840,
            "cpu_arch": "x86_64",
            "vendor": "Bessemer",
        },
        "extra": {"rack": f"r{number % 40}", "unit": number % 42},
    }


async def _make_available(database: str) -> None:
    """As they are when verified, made available and looked at once: that work is not what is measured."""
    url = database.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(_AVAILABLE))
    finally:
        await engine.dispose()
