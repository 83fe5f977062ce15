"""What it costs to serve a node's boot ISO, against a plain file of the same size through the same server.

    uv run python bench/boot.py [downloads]

A child process serves both with uvicorn; its CPU time (user and system) is read before and after.
"""
# ruff: noqa: ASYNC110

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bessemer.api.boot.route import routes
from bessemer.boot.artefact import BootArtefacts
from bessemer.config.settings import ConductorSettings, Settings
from bessemer.domain.node import Node
from bessemer.image.relay import ImageRelay
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.seal import Keyring, new_key
from bessemer.store.database import Database
from bessemer.store.node import create_node
from bessemer.store.vault import Vault
from bessemer.transfer.web import Web

KERNEL_BYTES, RAMDISK_BYTES = 14 << 20, 48 << 20
NODE_UUID, KEY = "11111111-2222-4333-8444-555555555555", "k" * 43
ISO, PLAIN = f"/boot/{NODE_UUID}/{KEY}/boot.iso", "/plain"
RANGE_BYTES = 1 << 20
MIB = 1 << 20


async def serve(directory: Path) -> None:
    """The child: the real routes over a database with one node, and Starlette's own file response."""
    settings = Settings(
        conductor=ConductorSettings(
            deploy_kernel=str(directory / "vmlinuz"), deploy_ramdisk=str(directory / "initrd")
        )
    )
    node = Node(
        uuid=NODE_UUID,
        driver="redfish",
        created_at="2026-11-23T11:14:03.000123+00:00",
        driver_internal_info={"boot_key": KEY, "agent_secret_token": "t" * 43},
    )
    database = await Database.open(
        f"sqlite:///{directory}/bench.sqlite", clock=SystemClock(), vault=Vault(Keyring([new_key()]))
    )
    async with database.write() as tx:
        await create_node(tx, node)

    async def plain(_: Request) -> Response:
        return FileResponse(directory / "plain")

    async with aiohttp.ClientSession() as session:
        web = Web(session)
        artefacts = BootArtefacts(
            settings, cache_directory=directory / "cache", web=web, api_url="http://127.0.0.1:6385"
        )
        started = time.perf_counter()
        blob = await artefacts.open_iso(node)
        print(f"template of {blob.size / MIB:.1f} MiB built in {time.perf_counter() - started:.2f} s")
        (directory / "plain").write_bytes(blob.file.path.read_bytes())
        app = Starlette(routes=[*routes(artefacts, ImageRelay(settings, web), database), Route(PLAIN, plain)])
        config = uvicorn.Config(app, uds=str(directory / "socket"), log_level="error", access_log=False)
        await uvicorn.Server(config).serve()
    await database.close()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def download(session: aiohttp.ClientSession, path: str, *, in_ranges: bool) -> int:
    """Read ``path`` once, whole or in ranges of 1 MiB as BMCs do; the bytes received."""
    if not in_ranges:
        async with session.get(path) as response:
            return sum([len(piece) async for piece in response.content.iter_any()])
    async with session.head(path) as response:
        size = int(response.headers["Content-Length"])
    received = 0
    for start in range(0, size, RANGE_BYTES):
        async with session.get(
            path, headers={"Range": f"bytes={start}-{start + RANGE_BYTES - 1}"}
        ) as response:
            received += len(await response.read())
    return received


async def measure(session: aiohttp.ClientSession, pid: int, downloads: int) -> None:
    for in_ranges in (False, True):
        costs = {}
        for name, path in (("plain file", PLAIN), ("boot ISO", ISO)):
            await download(session, path, in_ranges=in_ranges)
            before, started = cpu_s(pid), time.perf_counter()
            received = 0
            for _ in range(downloads):
                received += await download(session, path, in_ranges=in_ranges)
            took = time.perf_counter() - started
            costs[name] = (cpu_s(pid) - before) / downloads
            how = "1 MiB ranges" if in_ranges else "whole"
            rate = received / MIB / took
            print(f"{name:10} {how:12} {costs[name] * 1000:6.0f} ms CPU a download, {rate:5.0f} MiB/s")
        print(f"ratio ISO to plain file: {costs['boot ISO'] / costs['plain file']:.2f}")


async def main(downloads: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bessemer-bench-") as name:
        directory = Path(name)
        (directory / "vmlinuz").write_bytes(os.urandom(KERNEL_BYTES))
        (directory / "initrd").write_bytes(os.urandom(RAMDISK_BYTES))
        server = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", name)
        try:
            async with asyncio.timeout(60):
                while not (directory / "socket").exists():
                    await asyncio.sleep(0.05)
            connector = aiohttp.UnixConnector(str(directory / "socket"))
            async with aiohttp.ClientSession("http://bench", connector=connector) as session:
                await measure(session, server.pid, downloads)
        finally:
            server.terminate()
            await server.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 20))
