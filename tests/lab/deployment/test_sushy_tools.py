"""The same deployment with a BMC that we did not write: sushy-tools' emulator on Debian's libvirt."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bessemer_lab.demo.operator import Operator
from bessemer_lab.demo.scene import file_server, free_port, write_config
from fakes.libvirt import ServerSpec, libvirt
from fakes.sushy_emulator import PASSWORD, USERNAME, sushy_emulator

pytestmark = pytest.mark.lab

HOSTNAME = "through-sushy.example"


async def test_a_deployment_through_sushy_tools_boots_the_system_with_its_config_drive(
    tmp_path: Path, artefacts: Any, make_service: Any
) -> None:
    ramdisk, image = artefacts
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(libvirt())
        agent_port = free_port()
        server = await daemon.define(ServerSpec(agent_port=agent_port))
        bmc = await stack.enter_async_context(
            sushy_emulator(tmp_path, libvirt_uri=daemon.uri, program=daemon.emulator_program())
        )
        port = free_port()
        service = make_service(write_config(tmp_path / "service", port, ramdisk), port)
        await service.start()
        stack.push_async_callback(service.stop)
        image_port = await stack.enter_async_context(file_server(image.zstd.parent))
        scene = SimpleNamespace(
            endpoint=f"http://127.0.0.1:{port}",
            image_url=f"http://127.0.0.1:{image_port}/{image.zstd.name}",
            image_sha256=image.sha256[image.zstd.name],
            machine=SimpleNamespace(
                bmc_url=bmc.address,
                system_path=f"/redfish/v1/Systems/{server.uuid}",
                username=USERNAME,
                password=PASSWORD,
                certificate_path=bmc.certificate.certificate,
                agent_port=agent_port,
            ),
        )
        await asyncio.to_thread(deploy, Operator(scene, watch=lambda sight: None))
        async with asyncio.timeout(120):
            while not server.console_has(f"hostname={HOSTNAME}"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


def deploy(operator: Operator) -> None:
    """The whole way, cleaning included."""
    operator.enrol("through-sushy")
    operator.move("manage", "manageable")
    operator.move("provide", "available")
    drive = operator.describe_instance(HOSTNAME)
    operator.move("active", "active", config_drive=drive)
