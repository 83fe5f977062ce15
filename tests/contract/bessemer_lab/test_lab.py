"""A lab and what it remembers."""

import json
import stat
from pathlib import Path

import pytest

from bessemer_lab.boot import BootSetting, OverrideEnabled
from bessemer_lab.error import InvalidSpec, LabBusy, LabError
from bessemer_lab.lab import Lab
from bessemer_lab.machine import BootDevice, DiskSpec, MachineSpec, PowerState

SPEC = MachineSpec(name="node-0")
CONTINUOUS_PXE = BootSetting(enabled=OverrideEnabled.CONTINUOUS, target=BootDevice.PXE)


async def test_a_machine_is_the_same_in_the_next_lab_but_off(tmp_path: Path) -> None:
    async with Lab(tmp_path) as lab:
        before = await lab.add(SPEC, simulated=True)
        await before.set_boot(CONTINUOUS_PXE)
        await before.power_on()
    async with Lab(tmp_path) as lab:
        after = await lab.add(SPEC, simulated=True)
        assert after.power_state is PowerState.OFF
        assert after.board.boot == CONTINUOUS_PXE
        assert (after.uuid, after.macs, after.password) == (before.uuid, before.macs, before.password)
        assert (after.bmc_url, after.agent_port) == (before.bmc_url, before.agent_port)
        assert after.certificate_path.read_bytes() == before.certificate_path.read_bytes()


async def test_a_directory_has_one_lab_at_a_time(tmp_path: Path) -> None:
    async with Lab(tmp_path):
        with pytest.raises(LabBusy, match="another lab is running"):
            await Lab(tmp_path).__aenter__()
    async with Lab(tmp_path):
        pass


async def test_two_machines_cannot_have_one_name(lab: Lab) -> None:
    await lab.add(SPEC, simulated=True)
    with pytest.raises(InvalidSpec, match="already"):
        await lab.add(SPEC, simulated=True)


async def test_a_machine_keeps_its_uuid(tmp_path: Path) -> None:
    first, other = "4f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11", "5f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11"
    async with Lab(tmp_path) as lab:
        assert (await lab.add(MachineSpec(name="node-0", uuid=first), simulated=True)).uuid == first
    async with Lab(tmp_path) as lab:
        with pytest.raises(InvalidSpec, match=first):
            await lab.add(MachineSpec(name="node-0", uuid=other), simulated=True)


async def test_disks_are_kept_and_a_changed_size_is_refused(tmp_path: Path) -> None:
    async with Lab(tmp_path) as lab:
        await lab.add(MachineSpec(name="node-0", disks=(DiskSpec(size_gib=1),)))
    async with Lab(tmp_path) as lab:
        await lab.add(MachineSpec(name="node-0", disks=(DiskSpec(size_gib=1),)))
    async with Lab(tmp_path) as lab:
        with pytest.raises(InvalidSpec, match="not 2 GiB"):
            await lab.add(MachineSpec(name="node-0", disks=(DiskSpec(size_gib=2),)))


async def test_a_backing_image_must_be_there_and_fit(tmp_path: Path, lab: Lab) -> None:
    missing = DiskSpec(backing=tmp_path / "nothing.raw")
    with pytest.raises(InvalidSpec, match="is not there"):
        await lab.add(MachineSpec(name="node-0", disks=(missing,)))
    large = tmp_path / "large.raw"
    with large.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(InvalidSpec, match="larger than 1 GiB"):
        await lab.add(MachineSpec(name="node-1", disks=(DiskSpec(size_gib=1, backing=large),)))


async def test_other_programs_find_the_machines_in_a_private_file(lab: Lab) -> None:
    machine = await lab.add(SPEC, simulated=True)
    index = lab.directory / "lab.json"
    (entry,) = json.loads(index.read_text())["machines"]
    assert (entry["name"], entry["bmc_url"]) == ("node-0", machine.bmc_url)
    assert stat.S_IMODE(index.stat().st_mode) == 0o600


async def test_a_long_directory_still_has_a_console_socket_that_can_be_used(tmp_path: Path) -> None:
    async with Lab(tmp_path / ("d" * 80)) as lab:
        machine = await lab.add(SPEC, simulated=True)
        assert len(str(machine.console_socket)) < 108
        place = machine.console_socket.parent
        assert place.exists()
    assert not place.exists()


async def test_waiting_for_power_ends_with_the_reason(lab: Lab) -> None:
    machine = await lab.add(SPEC, simulated=True)
    machine.vm.start_failure = "the firmware is missing"  # type: ignore[attr-defined]
    with pytest.raises(LabError, match="the firmware is missing"):
        await machine.power_on(timeout_s=2)
