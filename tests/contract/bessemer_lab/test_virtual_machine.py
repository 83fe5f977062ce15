"""One contract for whatever runs a machine: the simulation, and QEMU without a guest."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bessemer_lab.disk import ensure_disk
from bessemer_lab.error import PowerLost, VmError
from bessemer_lab.port import PortReservation
from bessemer_lab.qemu_vm import QemuVm
from bessemer_lab.simulated import SimulatedVm
from bessemer_lab.spec import BootDevice, DiskSpec, Firmware, MachineSpec
from bessemer_lab.vm import VirtualMachine, VmEvent, VmSetup

UUID = "4f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11"
ORDER = (BootDevice.HDD,)


class Events:
    """What a machine said."""

    def __init__(self, vm: VirtualMachine) -> None:
        self.seen: list[VmEvent] = []
        self._came = asyncio.Event()
        vm.listen(self._take)

    def _take(self, event: VmEvent) -> None:
        self.seen.append(event)
        self._came.set()

    async def wait_for(self, event: VmEvent) -> None:
        async with asyncio.timeout(10):
            while event not in self.seen:
                self._came.clear()
                await self._came.wait()


@pytest.fixture(params=["simulated", pytest.param("qemu", marks=pytest.mark.lab)])
async def vm(request: pytest.FixtureRequest, tmp_path: Path) -> VirtualMachine:
    if request.param == "simulated":
        return SimulatedVm()
    spec = MachineSpec(name="node-0", memory_mib=128, disks=(DiskSpec(size_gib=1),)).resolve(UUID)
    await ensure_disk(spec.disks[0], tmp_path / "disk0.qcow2")
    reservation = PortReservation()
    request.addfinalizer(reservation.close)  # noqa: PT021  one branch of the fixture only
    return QemuVm(spec, tmp_path, agent_port=reservation.port, console_socket=tmp_path / "c")


def plan(medium: Path | None = None) -> VmSetup:
    return VmSetup(
        firmware=Firmware.BIOS, is_secure_boot=False, is_setup_mode=False, boot_order=ORDER, medium=medium
    )


async def test_a_machine_starts_and_stops_and_starts_again(vm: VirtualMachine) -> None:
    events = Events(vm)
    for _ in range(2):
        await vm.start(plan())
        assert events.seen == []
        await vm.stop()
        assert events.seen == [VmEvent.STOPPED]
        events.seen.clear()


async def test_stopping_a_machine_without_power_does_nothing(vm: VirtualMachine) -> None:
    events = Events(vm)
    await vm.stop()
    assert events.seen == []


async def test_a_reset_is_over_when_it_is_reported(vm: VirtualMachine) -> None:
    events = Events(vm)
    await vm.start(plan())
    await vm.reset()
    assert events.seen == [VmEvent.RESET]
    await vm.stop()


async def test_a_running_machine_takes_every_request(vm: VirtualMachine, tmp_path: Path) -> None:
    image = tmp_path / "image.iso"
    image.write_bytes(bytes(1 << 16))
    events = Events(vm)
    await vm.start(plan(image))
    await vm.set_boot_order((BootDevice.CD, BootDevice.PXE, BootDevice.HDD))
    await vm.change_medium(None)
    await vm.change_medium(None)
    await vm.change_medium(image)
    await vm.change_medium(image)
    await vm.inject_nmi()
    assert events.seen == []
    await vm.stop()


async def test_a_machine_without_power_refuses_every_request(vm: VirtualMachine) -> None:
    Events(vm)
    for request in (
        vm.reset(),
        vm.press_power_button(),
        vm.inject_nmi(),
        vm.set_boot_order(ORDER),
        vm.change_medium(None),
    ):
        with pytest.raises(PowerLost):
            await request


@pytest.mark.lab
async def test_a_machine_that_dies_is_noticed(tmp_path: Path) -> None:
    spec = MachineSpec(name="node-0", memory_mib=128, disks=()).resolve(UUID)
    vm = QemuVm(spec, tmp_path, agent_port=0, console_socket=tmp_path / "c")
    events = Events(vm)
    await vm.start(plan())
    assert vm.pid is not None
    os.kill(vm.pid, signal.SIGKILL)
    await events.wait_for(VmEvent.STOPPED)
    with pytest.raises(PowerLost):
        await vm.reset()
    assert vm.pid is None


@pytest.mark.lab
async def test_a_machine_qemu_refuses_says_why(tmp_path: Path) -> None:
    spec = MachineSpec(name="node-0", memory_mib=128, disks=(), extra_arguments=("-device", "flux-capacitor"))
    vm = QemuVm(spec.resolve(UUID), tmp_path, agent_port=0, console_socket=tmp_path / "c")
    with pytest.raises(VmError, match="flux-capacitor"):
        await vm.start(plan())


@pytest.mark.lab
async def test_a_medium_that_is_gone_keeps_the_machine_off(tmp_path: Path) -> None:
    spec = MachineSpec(name="node-0", memory_mib=128, disks=()).resolve(UUID)
    vm = QemuVm(spec, tmp_path, agent_port=0, console_socket=tmp_path / "c")
    events = Events(vm)
    with pytest.raises(VmError, match=r"gone\.iso"):
        await vm.start(plan(tmp_path / "gone.iso"))
    assert events.seen == [VmEvent.STOPPED]
    assert vm.pid is None
