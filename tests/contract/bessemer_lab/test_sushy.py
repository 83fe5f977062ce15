"""An independent client, OpenStack's sushy, against the BMC of a simulated machine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sushy
from aiohttp import web

from bessemer_lab.machine import BootDevice, Machine, PowerState
from bessemer_lab.simulated import SimulatedVm


@pytest.fixture
async def system(machine: Machine) -> AsyncIterator[Any]:
    """The machine's system as sushy sees it, over a session."""

    def connect() -> tuple[Any, Any]:
        auth = sushy.auth.SessionAuth(machine.username, machine.password)
        root = sushy.Sushy(machine.bmc_url, auth=auth, verify=str(machine.certificate_path))
        return root, root.get_system(machine.system_path)

    root, system = await asyncio.to_thread(connect)
    yield system
    await asyncio.to_thread(root._conn._auth.close)
    root._conn._session.close()


async def ask(function: Any, *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(function, *arguments, **named)


async def test_sushy_switches_power(system: Any, machine: Machine) -> None:
    assert system.power_state == sushy.PowerState.OFF
    await ask(system.reset_system, sushy.ResetType.ON)
    await machine.board.wait_for_power(PowerState.ON, timeout_s=30)
    await ask(system.refresh, force=True)
    assert system.power_state == sushy.PowerState.ON
    await ask(system.reset_system, sushy.ResetType.GRACEFUL_SHUTDOWN)
    await machine.board.wait_for_power(PowerState.OFF, timeout_s=30)


async def test_sushy_finds_every_reset_type_it_knows(system: Any) -> None:
    allowed = await ask(system.get_allowed_reset_system_values)
    assert {sushy.ResetType.ON, sushy.ResetType.NMI, sushy.ResetType.POWER_CYCLE} <= allowed


async def test_sushy_is_told_what_went_wrong(system: Any) -> None:
    with pytest.raises(sushy.exceptions.HTTPError, match="needs a machine that is on"):
        await ask(system.reset_system, sushy.ResetType.NMI)


async def test_sushy_sets_boot_device_and_mode(system: Any, machine: Machine, vm: SimulatedVm) -> None:
    await ask(
        system.set_system_boot_options,
        sushy.BootSource.CD,
        enabled=sushy.BootSourceOverrideEnabled.ONCE,
        mode=sushy.BootSourceOverrideMode.UEFI,
    )
    await ask(system.refresh, force=True)
    assert (system.boot.target, system.boot.enabled) == (
        sushy.BootSource.CD,
        sushy.BootSourceOverrideEnabled.ONCE,
    )
    await machine.power_on()
    await ask(system.refresh, force=True)
    assert system.boot.enabled == sushy.BootSourceOverrideEnabled.DISABLED
    assert vm.boots[0][0] is BootDevice.CD


async def test_sushy_handles_virtual_media(system: Any, tmp_path: Path) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"image")

    runner = web.ServerRunner(web.Server(answer), handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/boot.iso"

    def play() -> list[Any]:
        (drive,) = system.managers[0].virtual_media.get_members()
        seen = [drive.media_types]
        drive.insert_media(url)
        drive.refresh()
        seen += [drive.inserted, drive.image]
        drive.eject_media()
        drive.refresh()
        return [*seen, drive.inserted]

    seen = await ask(play)
    await runner.cleanup()
    assert seen == [[sushy.VirtualMediaType.CD, sushy.VirtualMediaType.DVD], True, url, False]


async def test_sushy_reads_the_inventory(system: Any, machine: Machine) -> None:
    def read() -> dict[str, Any]:
        return {
            "memory": system.memory_summary.size_gib,
            "cpus": system.processors.summary.count,
            "architecture": system.processors.summary.architecture,
            "macs": set(system.ethernet_interfaces.summary),
            "drives": sorted(system.storage.drives_sizes_bytes),
            "simple": sorted(system.simple_storage.disks_sizes_bytes),
            "bios": system.bios.attributes["NumLock"],
            "secure": system.secure_boot.enabled,
            "led": system.indicator_led,
            "chassis": len(system.chassis),
        }

    seen = await ask(read)
    assert seen == {
        "memory": 2,
        "cpus": 2,
        "architecture": sushy.ProcessorArchitecture.X86,
        "macs": set(machine.macs),
        "drives": [10 << 30, 20 << 30],
        "simple": [10 << 30, 20 << 30],
        "bios": "On",
        "secure": False,
        "led": sushy.IndicatorLED.OFF,
        "chassis": 1,
    }


async def test_sushy_changes_bios_and_secure_boot(system: Any, machine: Machine) -> None:
    def change() -> tuple[Any, Any]:
        system.bios.set_attribute("NumLock", "Off")
        system.secure_boot.set_enabled(True)
        system.bios.refresh()
        system.secure_boot.refresh()
        return system.bios.pending_attributes["NumLock"], system.secure_boot.enabled

    assert await ask(change) == ("Off", True)
