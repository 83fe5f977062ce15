"""CPU of the v1 API's hot calls, beside the figures to beat (Ironic 39, same machine, from design.md).

Every call is measured twice: in this process through the ASGI protocol, and against a server process over a
kept TCP connection. CPU counts every thread of the process that serves; milliseconds per call.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import uvloop

from bessemer.api.access import App
from bessemer.api.app import create_app
from bessemer.config.settings import Settings
from bessemer.domain.conductor import ConductorInterface
from bessemer.domain.node import Node
from bessemer.engine.gateway import Gateway
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.ident import new_uuid
from bessemer.network.noop import NoopNetwork
from bessemer.server.logging import set_up_logging
from bessemer.service.services import Services
from bessemer.storage.noop import NoopStorage
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.node import create_node

NODES = 1000
HEADERS = {"X-OpenStack-Ironic-API-Version": "1.115", "Content-Type": "application/json", "Host": "bench"}
NAMED = "/v1/nodes/bench-0"
PATCH = [{"op": "add", "path": "/extra/seen", "value": 1}]


@dataclass(frozen=True)
class Call:
    """``ironic_ms`` is the figure to beat, ``factor`` how many times cheaper we want to be."""

    title: str
    method: str
    path: str
    count: int
    ironic_ms: float
    factor: int
    body: Any = None


CALLS = (
    Call("GET node", "GET", NAMED, 1000, 5.7, 8),
    Call("PATCH node", "PATCH", NAMED, 300, 40.0, 8, PATCH),
    Call("list 1000 nodes", "GET", "/v1/nodes?limit=1000", 40, 190.0, 20),
    Call("list 1000, 3 fields", "GET", "/v1/nodes?limit=1000&fields=uuid,name,power_state", 40, 190.0, 20),
    Call("list 1000 with detail", "GET", "/v1/nodes/detail?limit=1000", 20, 400.0, 20),
    # Last, because it makes the lists longer.
    Call("create node", "POST", "/v1/nodes", 300, 20.0, 8, {"driver": "fake-hardware"}),
)


async def assemble(url: str) -> tuple[App, Database]:
    """The API as the server assembles it, without a conductor at work."""
    settings, clock = Settings(), SystemClock()
    database = await Database.open(url, clock=clock)
    ours = implementations(settings, BmcPool(settings.redfish), clock)
    noop = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
    composition = Composition(settings.default, ours.joined(noop))
    services = Services.build(database, Gateway(), composition, settings, clock)
    offered = [
        ConductorInterface(
            hardware_type=one.hardware_type,
            interface_type=one.interface_type,
            interface_name=one.interface_name,
            is_default=one.is_default,
        )
        for one in composition.registrations()
    ]
    async with database.write() as tx:
        await register_conductor(tx, "bench", new_uuid(), "", offered)
    return create_app(services, settings), database


async def furnish(database: Database) -> None:
    """Nodes as a rack has them: credentials, properties, an instance on each."""
    async with database.write() as tx:
        for number in range(NODES):
            await create_node(tx, _node(number, tx.now()))


def _node(number: int, now: str) -> Node:
    names = (
        "bios",
        "boot",
        "console",
        "deploy",
        "firmware",
        "inspect",
        "management",
        "power",
        "raid",
        "rescue",
    )
    return Node(
        uuid=new_uuid(),
        name=f"bench-{number}",
        driver="fake-hardware",
        created_at=now,
        updated_at=now,
        provision_updated_at=now,
        resource_class="baremetal",
        instance_uuid=new_uuid(),
        driver_info={
            "redfish_address": f"https://192.0.2.{number % 250}",
            "redfish_system_id": "/redfish/v1/Systems/1",
            "redfish_username": "admin",
            "redfish_password": "not-shown",
        },
        driver_internal_info={"agent_url": "https://198.51.100.7:9999", "agent_secret_token": "x" * 43},
        instance_info={"image_source": "https://images.example/os.raw", "image_checksum": "0" * 64},
        properties={"cpus": 64, "memory_mb": 524288, "local_gb": 3840, "cpu_arch": "x86_64"},
        extra={"rack": f"r{number % 40}", "unit": number % 42},
        network_interface="noop",
        storage_interface="noop",
        vendor_interface="fake",
        **{f"{name}_interface": "fake" for name in names},
    )


async def in_process(app: App, call: Call) -> float:
    """Milliseconds of CPU for one call, through the ASGI protocol."""
    content = json.dumps(call.body).encode() if call.body is not None else b""
    parts = urlsplit(call.path)
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def once() -> None:
        scope = {
            "type": "http", "method": call.method, "scheme": "http", "path": parts.path, "root_path": "",
            "query_string": parts.query.encode(), "headers": headers, "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 6385),
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await app(scope, receive, send)
        if statuses[0] >= 300:
            raise RuntimeError(f"{call.title}: HTTP {statuses[0]}")

    return await measured(once, call.count)


async def measured(once: Callable[[], Awaitable[None]], count: int) -> float:
    for _ in range(3):
        await once()
    began = time.process_time()
    for _ in range(count):
        await once()
    return (time.process_time() - began) * 1000 / count


def over_a_socket(process: subprocess.Popen[str], port: int, call: Call) -> float:
    """Milliseconds of CPU that the server process spends on one call."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    content = json.dumps(call.body) if call.body is not None else None

    def once() -> None:
        connection.request(call.method, call.path, content, HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{call.title}: HTTP {answer.status}")

    for _ in range(3):
        once()
    began = _cpu_s(process.pid)
    for _ in range(call.count):
        once()
    spent = _cpu_s(process.pid) - began
    connection.close()
    return spent * 1000 / call.count


def _cpu_s(pid: int) -> float:
    """User and system time of all threads. Source: proc(5), /proc/pid/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def serve(url: str, port: int) -> None:
    app, _ = await assemble(url)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, lifespan="off", access_log=False
    )
    await uvicorn.Server(config).serve()


def start_server(url: str, port: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", url, "--port", str(port)], stderr=subprocess.DEVNULL, text=True
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def measure_in_process(url: str) -> dict[str, float]:
    app, database = await assemble(url)
    await furnish(database)
    found = {call.title: await in_process(app, call) for call in CALLS}
    await database.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", metavar="URL")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    # The log is written as it would be in earnest, and not looked at.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    set_up_logging(debug=False)
    if arguments.serve:
        uvloop.run(serve(arguments.serve, arguments.port))
        return
    with tempfile.TemporaryDirectory() as directory:
        inside = uvloop.run(measure_in_process(f"sqlite:///{directory}/inside.sqlite"))
        url = f"sqlite:///{directory}/outside.sqlite"
        uvloop.run(_furnish(url))
        port = _free_port()
        process = start_server(url, port)
        try:
            outside = {call.title: over_a_socket(process, port, call) for call in CALLS}
        finally:
            process.terminate()
            process.wait(timeout=20)
    report(inside, outside)


async def _furnish(url: str) -> None:
    _, database = await assemble(url)
    await furnish(database)
    await database.close()


def report(inside: dict[str, float], outside: dict[str, float]) -> None:
    heads = f"{'in process':>12}{'socket':>10}{'Ironic':>10}{'cheaper':>10}{'wanted':>8}"
    sys.stdout.write(f"{'ms of CPU per call':24}{heads}\n")
    for call in CALLS:
        ratio = call.ironic_ms / outside[call.title]
        sys.stdout.write(
            f"{call.title:24}{inside[call.title]:12.2f}{outside[call.title]:10.2f}{call.ironic_ms:10.1f}"
            f"{ratio:9.1f}x{call.factor:7}x\n"
        )


if __name__ == "__main__":
    main()
