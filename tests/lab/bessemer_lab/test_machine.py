"""Real machines: firmware, operating system, power and media, driven through their BMCs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sushy
from aiohttp import web

from bessemer_lab.image import OsImage
from bessemer_lab.lab import Lab
from bessemer_lab.machine import DiskBus, DiskSpec, Firmware, Machine, MachineSpec, NicSpec, PowerState
from fakes.bmc_client import Client

from .conftest import make_boot_iso, make_config_disk, make_config_iso

pytestmark = pytest.mark.lab

BOOTED = "BESSEMER-OS BOOTED"
BOOT_S = 60.0


@asynccontextmanager
async def serve(*files: Path) -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """A web server for some files: its URL and the paths it was asked for."""
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.put_nowait(request.path)
        found = [file for file in files if f"/{file.name}" == request.path]
        return web.FileResponse(found[0]) if found else web.Response(status=404)

    runner = web.ServerRunner(web.Server(answer), handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def insert(client: Client, url: str) -> None:
    path = "/redfish/v1/Managers/BMC/VirtualMedia/Cd/Actions/VirtualMedia.InsertMedia"
    assert (await client.ask("POST", path, {"Image": url})).status == 204


async def test_an_os_boots_configures_itself_reboots_and_obeys_the_power_button(
    lab: Lab, os_image: OsImage, tmp_path: Path, connect: Callable[[Machine], Any]
) -> None:
    machine = await lab.add(
        MachineSpec(name="node-0", memory_mib=512, disks=(DiskSpec(size_gib=1, backing=os_image.raw),))
    )
    client = await connect(machine)
    user_data = "#!/bin/sh\necho user data of $(hostname)\nnc -ll -p 9999 -e echo hello &\n"
    iso = await make_config_iso(tmp_path, user_data)
    async with serve(iso) as (url, _):
        await insert(client, f"{url}/config.iso")
    assert (await client.reset("On")).status == 204
    line = await lab.wait_for_console(machine, BOOTED, BOOT_S)
    assert "hostname=from-drive.example boots=1 firmware=uefi" in line
    console = machine.console.read()
    assert "user data of from-drive.example" in console
    assert "BESSEMER-OS USER-DATA status=0" in console

    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", machine.agent_port)
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()

    await machine.console.wait_for("/ # ", timeout_s=10)
    await client.reset("Nmi")
    await lab.wait_for_console(machine, "NMI received", 10)

    since = machine.console.offset
    await machine.console.send("reboot\n")
    assert "boots=2" in await lab.wait_for_console(machine, BOOTED, BOOT_S, since=since)
    assert (await client.get())["PowerState"] == "On"

    since = machine.console.offset
    assert (await client.reset("GracefulShutdown")).status == 204
    await machine.board.wait_for_power(PowerState.OFF, timeout_s=20)
    assert "BESSEMER-OS POWER BUTTON" in machine.console.read(since=since)
    assert (await client.get())["PowerState"] == "Off"


@pytest.mark.parametrize(
    ("firmware", "bus"), [(Firmware.UEFI, DiskBus.NVME), (Firmware.BIOS, DiskBus.VIRTIO)]
)
async def test_sushy_boots_a_machine_from_virtual_media_once(
    lab: Lab, os_image: OsImage, tmp_path: Path, firmware: Firmware, bus: DiskBus
) -> None:
    config = await make_config_disk(tmp_path, "not a script")
    disks = (DiskSpec(size_gib=1, bus=bus, backing=os_image.raw), DiskSpec(size_gib=1, backing=config))
    machine = await lab.add(MachineSpec(name="node-0", memory_mib=512, firmware=firmware, disks=disks))
    iso = await make_boot_iso(tmp_path, "STARTED FROM CD")

    def start(url: str) -> None:
        with connected(machine) as system:
            assert system.power_state == sushy.PowerState.OFF
            (drive,) = system.managers[0].virtual_media.get_members()
            drive.insert_media(f"{url}/boot.iso")
            system.set_system_boot_options(sushy.BootSource.CD, enabled=sushy.BootSourceOverrideEnabled.ONCE)
            system.reset_system(sushy.ResetType.ON)

    async with serve(iso) as (url, _):
        await asyncio.to_thread(start, url)
    await lab.wait_for_console(machine, "STARTED FROM CD", BOOT_S)
    # the ISO reboots by itself, with the medium still in the drive: Once is over, the disk is next
    line = await lab.wait_for_console(machine, BOOTED, BOOT_S)
    assert f"hostname=from-drive.example boots=1 firmware={firmware}" in line
    assert machine.console.read().count("STARTED FROM CD") == 1

    def stop() -> str:
        with connected(machine) as system:
            assert system.power_state == sushy.PowerState.ON
            (drive,) = system.managers[0].virtual_media.get_members()
            drive.eject_media()
            system.reset_system(sushy.ResetType.FORCE_OFF)
            return str(system.boot.enabled.value)

    assert await asyncio.to_thread(stop) == "Disabled"
    await machine.board.wait_for_power(PowerState.OFF, timeout_s=20)


class connected:  # noqa: N801  a context manager, named as one
    """sushy, logged in with a session."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def __enter__(self) -> Any:
        machine = self._machine
        self._auth = sushy.auth.SessionAuth(machine.username, machine.password)
        self._root = sushy.Sushy(machine.bmc_url, auth=self._auth, verify=str(machine.certificate_path))
        return self._root.get_system(machine.system_path)

    def __exit__(self, *_: object) -> None:
        self._auth.close()
        self._root._conn._session.close()


async def test_a_machine_boots_from_the_network(
    lab: Lab, tmp_path: Path, connect: Callable[[Machine], Any]
) -> None:
    script = tmp_path / "boot.ipxe"
    script.write_text("#!ipxe\nshell\n")
    async with serve(script) as (url, asked):
        boot_file = url.replace("127.0.0.1", "10.0.2.2") + "/boot.ipxe"
        spec = MachineSpec(
            name="node-0", memory_mib=256, firmware=Firmware.BIOS, nics=(NicSpec(boot_file=boot_file),)
        )
        machine = await lab.add(spec)
        client = await connect(machine)
        await client.patch({"Boot": {"BootSourceOverrideTarget": "Pxe"}})
        await client.reset("On")
        async with asyncio.timeout(BOOT_S):
            assert await asked.get() == "/boot.ipxe"


async def test_secure_boot_refuses_a_loader_nobody_signed(
    lab: Lab, os_image: OsImage, connect: Callable[[Machine], Any]
) -> None:
    machine = await lab.add(
        MachineSpec(
            name="node-0", memory_mib=512, disks=(DiskSpec(size_gib=1, backing=os_image.raw),), nics=()
        )
    )
    client = await connect(machine)
    await client.patch({"SecureBootEnable": True}, f"{machine.system_path}/SecureBoot")
    await client.reset("On")
    await lab.wait_for_console(machine, "Access Denied", BOOT_S)
    assert BOOTED not in machine.console.read()
