"""The BMC calls of a deployment through sushy-tools' emulator to a virtual server of Debian's libvirt.

Nothing here is ours but the client: a machine really boots what our calls put into its drive.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bessemer.config.settings import DefaultSettings, RedfishSettings, Settings
from bessemer.domain.power import BootDevice, BootMode, PowerState, PowerTarget
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Driver, Implementations
from bessemer.hardware.interface import RamdiskBoot
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import SystemClock
from bessemer.network.noop import NoopNetwork
from bessemer.storage.noop import NoopStorage
from fakes.http_server import image_server
from fakes.libvirt import ServerSpec, VirtualServer, libvirt
from fakes.loop import sockets_closed
from fakes.sushy_emulator import sushy_emulator
from fakes.task import FakeTask, make_task

pytestmark = pytest.mark.lab

MARKER = "BOOTED FROM THE VIRTUAL CD"
_GRUB = f"""
insmod serial
serial --unit=0
terminal_output serial
echo "{MARKER}"
sleep 600
"""


@dataclass
class Scene:
    server: VirtualServer
    driver: Driver
    task: FakeTask

    async def reaches(self, state: PowerState, timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while await self.driver.power.get_power_state(self.task) != state:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def shows(self, is_shown: Callable[[], bool], timeout_s: float = 120.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not is_shown():  # noqa: ASYNC110
                await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bootable image that says so on the serial port."""
    directory = tmp_path_factory.mktemp("iso")
    config = directory / "root/boot/grub/grub.cfg"
    config.parent.mkdir(parents=True)
    config.write_text(_GRUB)
    image = directory / "marker.iso"
    subprocess.run(
        ["grub-mkrescue", "--output", str(image), str(directory / "root")], check=True, capture_output=True
    )
    return image.read_bytes()


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    pool = BmcPool(RedfishSettings(connection_retry_interval=1))
    ours = implementations(Settings(), pool, SystemClock())
    others = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
    composition = Composition(DefaultSettings(), ours.joined(others))
    async with libvirt() as daemon:
        server = await daemon.define(ServerSpec(memory_mib=1024))
        emulator = sushy_emulator(tmp_path, libvirt_uri=daemon.uri, program=daemon.emulator_program())
        async with emulator as bmc:
            task = make_task(driver="redfish", driver_info=bmc.driver_info())
            yield Scene(server, composition.driver_for(task.node), task)
            await pool.close()
    await sockets_closed()


async def test_a_machine_boots_what_its_bmc_was_given_and_then_its_disk(scene: Scene, iso: bytes) -> None:
    driver, task = scene.driver, scene.task
    async with image_server() as files:
        boot = RamdiskBoot(files.put("marker.iso", iso), BootMode.UEFI)
        assert await driver.power.get_power_state(task) == PowerState.OFF
        await driver.boot.prepare_ramdisk(task, boot)
        assert (await driver.management.get_boot_device(task))[0] == BootDevice.CDROM
        await driver.power.request_power(task, PowerTarget.ON)
        await scene.reaches(PowerState.ON)
        await scene.shows(lambda: scene.server.console_has(MARKER))
        await driver.power.request_power(task, PowerTarget.OFF)
        await scene.reaches(PowerState.OFF)
        await driver.boot.clean_up_ramdisk(task)
        await driver.boot.prepare_instance(task)
        drives = await driver.management.get_virtual_media(task)
        assert not any(drive["inserted"] for drive in drives)
        assert await driver.management.get_boot_device(task) == (BootDevice.DISK, True)

    size = scene.server.console.stat().st_size
    await driver.power.request_power(task, PowerTarget.ON)
    await scene.reaches(PowerState.ON)
    await scene.shows(lambda: scene.server.console.stat().st_size > size)
    later = scene.server.console.read_bytes()[size:]
    assert MARKER.encode() not in later


async def test_preparing_a_boot_twice_and_resetting_a_running_machine_works(scene: Scene, iso: bytes) -> None:
    driver, task = scene.driver, scene.task
    async with image_server() as files:
        boot = RamdiskBoot(files.put("marker.iso", iso), BootMode.UEFI)
        await driver.boot.prepare_ramdisk(task, boot)
        await driver.boot.prepare_ramdisk(task, boot)
        await driver.power.request_power(task, PowerTarget.REBOOT)
        await scene.reaches(PowerState.ON)
        await driver.power.request_power(task, PowerTarget.REBOOT)
        await scene.reaches(PowerState.ON)
        await driver.management.inject_nmi(task)
        await scene.shows(lambda: scene.server.console_has(MARKER))


async def test_a_virtual_server_is_described_by_its_bmc(scene: Scene) -> None:
    found = await scene.driver.inspect.inspect(scene.task)
    assert found.properties["cpus"] == 1
    assert found.properties["memory_mb"] == 1024
    assert found.properties["capabilities"] == "boot_mode:uefi"
