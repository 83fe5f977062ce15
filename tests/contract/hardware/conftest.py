"""Each test in this folder runs against every implementation: what one promises, all keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bessemer.config.settings import DefaultSettings, RedfishSettings, Settings
from bessemer.domain.power import PowerState
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Driver, Implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.network.noop import NoopNetwork
from bessemer.storage.noop import NoopStorage
from fakes.clock import FakeClock
from fakes.http_server import image_server
from fakes.lab_bmc import lab_bmc
from fakes.loop import sockets_closed
from fakes.sushy_emulator import FAKE_SYSTEM, QUICK, RunningEmulator, sushy_emulator
from fakes.task import FakeTask, make_task

MAC = "52:54:00:12:34:56"
DEADLINE_S = 60.0
_EMULATED = [f"27946b59-9e44-4fa7-8e91-{number:012}" for number in range(100)]
_unused = iter(_EMULATED)


@dataclass
class Machine:
    """A machine in the hands of its driver."""

    driver: Driver
    task: FakeTask
    #: Whether a boot device set for the next boot only is told apart from one that stays.
    honours_once: bool

    async def reaches(self, state: PowerState) -> None:
        """Wait until the machine reports ``state``."""

        async def is_there() -> bool:
            return await self.driver.power.get_power_state(self.task) == state

        await until(is_there)


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await question():  # noqa: ASYNC110  the outside world does not call us
            await asyncio.sleep(0.05)


def compose(pool: BmcPool, **settings: Any) -> Composition:
    """Everything there is, enabled as by default unless ``settings`` say otherwise."""
    ours = implementations(Settings(), pool, FakeClock())
    others = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
    defaults = replace(DefaultSettings(), **settings)
    return Composition(defaults, ours.joined(others))


@pytest_asyncio.fixture(autouse=True)
async def quiet_loop() -> AsyncIterator[None]:
    """Set up before everything else, and therefore the last to go."""
    yield
    await sockets_closed()


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[BmcPool]:
    pool = BmcPool(RedfishSettings(request_timeout=10, connection_retry_interval=0))
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEmulator]:
    """One emulator for all tests; each takes a machine of its own from it."""
    systems = [{**FAKE_SYSTEM, "uuid": uuid, "name": f"fake-{uuid}"} for uuid in _EMULATED]
    directory = tmp_path_factory.mktemp("sushy")
    async with sushy_emulator(directory, systems=systems, program=QUICK) as running:
        yield running


@pytest_asyncio.fixture(params=["fake", "lab", "sushy"])
async def machine(
    request: pytest.FixtureRequest, pool: BmcPool, tmp_path: Path, emulator: RunningEmulator
) -> AsyncIterator[Machine]:
    """A machine that is off: of fake hardware, behind the lab's BMC, behind OpenStack's emulator."""
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            task = make_task(MAC, driver="fake-hardware")
        elif request.param == "lab":
            bmc = await stack.enter_async_context(lab_bmc(tmp_path))
            task = make_task(MAC, driver="redfish", driver_info=bmc.driver_info())
        else:
            path = f"/redfish/v1/Systems/{next(_unused)}"
            task = make_task(driver="redfish", driver_info=emulator.driver_info(redfish_system_id=path))
        driver = compose(pool).driver_for(task.node)
        yield Machine(driver, task, honours_once=request.param != "sushy")


@pytest_asyncio.fixture
async def iso_url() -> AsyncIterator[str]:
    """The URL of an image, with a key in it, as boot artefacts have."""
    async with image_server() as server:
        yield server.put("boot/k0Ks3cretk3ywhichopensthebootfiles/agent.iso", b"\0" * 4096)
