"""Processes of the service as an operator starts them, with fake hardware, on one database."""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from fakes.engine import eventually
from fakes.port import free_port

HEADERS = {"X-OpenStack-Ironic-API-Version": "1.80"}
START_S = 90.0


class Site:
    """Processes on one database."""

    def __init__(self, directory: Path, url: str, stack: AsyncExitStack) -> None:
        self._directory, self._stack = directory, stack
        self.port = free_port()
        self.settings = directory / "bessemer.ini"
        self.url = url
        self.write()

    def write(self, *, more: str = "", host: str = "first") -> None:
        self.settings.write_text(
            f"[DEFAULT]\nstate_path = {self._directory / 'state'}\nhost = {host}\n{more}\n"
            f"[api]\nport = {self.port}\napi_workers = 2\n[database]\nconnection = {self.url}\n"
        )

    async def start(self, command: str, *, host: str = "first") -> asyncio.subprocess.Process:
        program = str(Path(sys.executable).with_name("bessemer"))
        with self.log(command).open("a") as log:
            process = await asyncio.create_subprocess_exec(
                program, command, "--config-file", str(self.settings), stdout=log, stderr=log,
                env={**os.environ, "OS_DEFAULT__HOST": host},
            )  # fmt: skip
        self._stack.push_async_callback(_end, process)
        return process

    def log(self, command: str) -> Path:
        return self._directory / f"{command}.log"

    async def get(self, path: str) -> Any:
        address = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(address, headers=HEADERS) as answer:
            return await answer.json()

    async def post(self, path: str, body: Any, *, method: str = "POST") -> int:
        address = f"http://127.0.0.1:{self.port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, address, json=body, headers=HEADERS) as answer,
        ):
            return answer.status

    async def drivers_are_offered(self) -> None:
        async def are_there() -> bool:
            try:
                return bool((await self.get("/v1/drivers"))["drivers"])
            except aiohttp.ClientError:
                return False

        await eventually(are_there, START_S)

    async def workers_are_there(self, count: int) -> None:
        async def are_there() -> bool:
            return len(self.workers()) == count

        await eventually(are_there, START_S)

    def workers(self) -> list[int]:
        """Processes that answer behind the one that was started."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"--worker" in words and str(self.settings).encode() in words:
                found.append(int(entry.parent.name))
        return found


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def verified(site: Site, name: str) -> None:
    """Enrol a node and have a conductor verify it."""
    assert await site.post("/v1/nodes", {"driver": "fake-hardware", "name": name}) == 201
    path = f"/v1/nodes/{name}/states/provision"
    assert await site.post(path, {"target": "manage"}, method="PUT") == 202

    async def is_done() -> bool:
        return bool((await site.get(f"/v1/nodes/{name}"))["provision_state"] == "manageable")

    await eventually(is_done)
