"""A real service process, a real ramdisk and a virtual server for each module that deploys."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bessemer_lab.demo.operator import Operator
from bessemer_lab.demo.scene import Scene, answering, file_server, free_port, write_config
from bessemer_lab.image import OsImage, build_os_image
from bessemer_lab.lab import Lab
from bessemer_lab.spec import DiskSpec, MachineSpec

CACHE = Path(__file__).parents[3] / "build" / "cache"


@pytest.fixture(scope="session")
def artefacts() -> tuple[Path, OsImage]:
    """The agent ramdisk and the OS image, built once and kept between runs."""

    async def build() -> tuple[Path, OsImage]:
        ramdisk = CACHE / "ramdisk"
        builder = await asyncio.create_subprocess_exec(
            sys.executable, "agent/image/build.py", "--output", str(ramdisk), "--cache", str(CACHE / "agent"),
            cwd=Path(__file__).parents[3], stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        image, status = await asyncio.gather(build_os_image(CACHE / "os"), builder.wait())
        assert status == 0
        return ramdisk, image

    return asyncio.run(build())


class Service:
    """``bessemer serve`` as a child process that can be killed and started again."""

    def __init__(self, config: Path, port: int) -> None:
        self.config = config
        self.port = port
        self.log = config.with_name("bessemer.log")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("bessemer")), "serve", "--config-file", str(self.config),
                stdout=output, stderr=output,
            )  # fmt: skip
        await answering(f"http://127.0.0.1:{self.port}/", self._process, self.log)

    async def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 30)


@pytest.fixture
def make_service() -> type[Service]:
    """Makes services: ``make_service(config, port)``."""
    return Service


class Stage:
    """What a test plays on."""

    def __init__(self, scene: Scene, service: Service, stack: AsyncExitStack) -> None:
        self.scene = scene
        self.service = service
        self._stack = stack

    async def large_image(self, size_gib: int) -> dict[str, str]:
        """``instance_info`` of an image that unpacks to ``size_gib``."""
        directory = self.scene.directory / "images"
        directory.mkdir(exist_ok=True)
        image = directory / "large.qcow2"
        maker = await asyncio.create_subprocess_exec(
            "qemu-img", "create", "-q", "-f", "qcow2", str(image), f"{size_gib}G"
        )
        assert await maker.wait() == 0
        port = await self._stack.enter_async_context(file_server(directory))
        return {
            "image_source": f"http://127.0.0.1:{port}/{image.name}",
            "image_os_hash_value": hashlib.sha256(image.read_bytes()).hexdigest(),
            "image_disk_format": "qcow2",
        }

    def operator(self) -> Operator:
        return Operator(self.scene, watch=lambda sight: None)

    async def until(self, question: Callable[[], Any], what: str, timeout_s: float = 120.0) -> Any:
        """Ask in a thread until the answer is true; services that are being restarted are forgiven."""
        last: Exception | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        if answer := await asyncio.to_thread(question):
                            return answer
                    except Exception as error:  # noqa: BLE001  the service may be down on purpose
                        last = error
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise TimeoutError(f"{what}: not within {timeout_s:.0f} s; last error: {last!r}") from last

    async def booted(self, hostname: str, since: int) -> None:
        """The deployed system has printed its host name on the serial console."""
        machine = self.scene.machine
        await self.scene.lab.wait_for_console(machine, f"hostname={hostname}", 180.0, since=since)

    def console_size(self) -> int:
        path = self.scene.machine.console_path
        return path.stat().st_size if path.exists() else 0


Stages = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def stages(tmp_path: Path, artefacts: tuple[Path, OsImage]) -> AsyncIterator[Stages]:
    """Makes stages; ``extra`` is appended to the service's settings file."""
    async with AsyncExitStack() as stack:

        async def make(extra: str = "", *, disk_gib: int = 4, disk_count: int = 1) -> Stage:
            ramdisk, image = artefacts
            port = free_port()
            config = write_config(tmp_path / "service", port, ramdisk)
            with config.open("a") as file:
                file.write(extra)
            lab = await stack.enter_async_context(Lab(tmp_path / "lab"))
            machine = await lab.add(
                MachineSpec(
                    name="node-0",
                    memory_mib=1024,
                    disks=(DiskSpec(size_gib=disk_gib),) * disk_count,
                )
            )
            image_port = await stack.enter_async_context(file_server(image.zstd.parent))
            service = Service(config, port)
            await service.start()
            stack.push_async_callback(service.stop)
            scene = Scene(
                directory=tmp_path,
                endpoint=f"http://127.0.0.1:{port}",
                image_url=f"http://127.0.0.1:{image_port}/{image.zstd.name}",
                image_sha256=image.sha256[image.zstd.name],
                machine=machine,
                lab=lab,
            )
            return Stage(scene, service, stack)

        yield make
