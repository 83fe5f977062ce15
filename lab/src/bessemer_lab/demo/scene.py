"""What the demo plays on: a virtual server, an image server and the service itself, all on loopback."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bessemer_lab.image import OsImage
from bessemer_lab.lab import Lab
from bessemer_lab.machine import Machine
from bessemer_lab.spec import DiskSpec, MachineSpec

GUEST_GATEWAY = "10.0.2.2"
START_S = 30.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Where things are while the demo runs."""

    directory: Path
    endpoint: str
    image_url: str
    image_sha256: str
    machine: Machine
    lab: Lab


@asynccontextmanager
async def scene(directory: Path, ramdisk: Path, image: OsImage, *, port: int = 0) -> AsyncIterator[Scene]:
    """Start it all, and stop it all at the end. ``ramdisk`` holds vmlinuz and initrd; port 0: any."""
    port = port or free_port()
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(Lab(directory / "lab"))
        machine = await lab.add(MachineSpec(name="node-0", memory_mib=1024, disks=(DiskSpec(size_gib=4),)))
        image_port = await stack.enter_async_context(file_server(image.zstd.parent))
        config = write_config(directory, port, ramdisk)
        await stack.enter_async_context(service(config, directory / "bessemer.log", port))
        yield Scene(
            directory=directory,
            endpoint=f"http://127.0.0.1:{port}",
            image_url=f"http://127.0.0.1:{image_port}/{image.zstd.name}",
            image_sha256=image.sha256[image.zstd.name],
            machine=machine,
            lab=lab,
        )


def write_config(directory: Path, port: int, ramdisk: Path) -> Path:
    """The service's settings: BMCs reach it on loopback, guests by QEMU's gateway address."""
    path = directory / "bessemer.conf"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""[DEFAULT]
state_path = {directory}/state
enabled_hardware_types = redfish,fake-hardware

[api]
host_ip = 127.0.0.1
port = {port}

[conductor]
deploy_kernel = {ramdisk}/vmlinuz
deploy_ramdisk = {ramdisk}/initrd

[deploy]
external_http_url = http://127.0.0.1:{port}
http_url = http://{GUEST_GATEWAY}:{port}
external_callback_url = http://{GUEST_GATEWAY}:{port}

[agent]
image_download_source = local

[redfish]
kernel_append_params = console=ttyS0 quiet no_timer_check
event_subscriptions = true
"""
    )
    return path


@asynccontextmanager
async def service(config: Path, log: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """``bessemer serve`` as a process of its own, answering on ``port``."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("bessemer")), "serve", "--config-file", str(config),
            stdout=output, stderr=output, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        await answering(f"http://127.0.0.1:{port}/", process, log)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


async def answering(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until ``url`` answers.

    Raises:
        RuntimeError: The process ended, or stayed silent for too long; the message holds its last words.
    """
    parts = urlsplit(url)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        for _ in range(int(START_S / 0.1)):
            if process.returncode is not None:
                break
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)
    last_words = log.read_text(errors="replace")[-2000:]  # noqa: ASYNC240  the end of the story
    raise RuntimeError(f"the service does not answer on {parts.netloc}; its last words:\n{last_words}")


@asynccontextmanager
async def file_server(directory: Path) -> AsyncIterator[int]:
    """Serve the files of ``directory`` on a free loopback port."""
    app = web.Application()
    app.router.add_static("/", directory)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield port
    finally:
        await runner.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
