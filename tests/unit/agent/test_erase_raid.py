"""Erasing a machine with software RAID: what was made for the node stays, and nothing that was on it."""

from pathlib import Path
from typing import Any

import pytest

from bessemer_agent.context import Context, Machine
from bessemer_agent.disk import MIB, open_disk
from bessemer_agent.error import ChildFailed, DeviceNotFound, InvalidRequest
from bessemer_agent.progress import Progress
from bessemer_agent.raid.array import RaidError
from bessemer_agent.root_device import GIB
from bessemer_agent.settings import Settings
from bessemer_agent.step import current_versions, execute_step
from bessemer_agent.step.table import Phase
from unit.agent.device_maker import PLAIN
from unit.agent.fake_child import FakeChild

ROOT = {"size_gb": 10, "raid_level": "1", "controller": "software", "volume_name": "root"}
DATA = {"size_gb": "MAX", "raid_level": "0", "controller": "software"}
MADE = {"raid_config": {"logical_disks": [ROOT, DATA]}}
STEPS = pytest.mark.parametrize("step", ["erase_devices", "erase_devices_express", "erase_devices_metadata"])


def skipping(skip: object) -> dict[str, Any]:
    return {"properties": {"skip_block_devices": skip}}


class World:
    """Three disks: the first two with an EFI system partition and a part of each of two arrays."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = {"md0": "root", "md1": "1"}
        self.child = FakeChild({"mdadm --detail": self.describe, "mdadm --stop": ""})
        for name in ("sda", "sdb", "sdc", "md0", "md1"):
            self._make(name, f"devices/{name}")
        for disk in ("sda", "sdb"):
            for number in (1, 2, 3):
                self._make(f"{disk}{number}", f"devices/{disk}/{disk}{number}", is_partition=True)
        for array, number in (("md0", 2), ("md1", 3)):
            (root / f"sys/block/{array}/md").mkdir(parents=True)
            for part in (f"sda{number}", f"sdb{number}"):
                (root / f"sys/block/{array}/slaves/{part}").mkdir(parents=True)
        devices = [
            PLAIN._replace(name=f"/dev/{name}", size=4 * MIB, tran=None if name[0] == "m" else "sata")
            for name in ("md0", "md1", "sda", "sdb", "sdc")
        ]
        self.devices = devices
        machine = Machine(lambda: self.devices, run=self.child, open_disk=self.open, root=str(root))
        self.context = Context(Settings(), machine)

    def _make(self, name: str, place: str, *, is_partition: bool = False) -> None:
        folder, links = self.root / "sys" / place, self.root / "sys/class/block"
        folder.mkdir(parents=True)
        links.mkdir(parents=True, exist_ok=True)
        (links / name).symlink_to(folder)
        (folder / "size").write_text(str(4 * MIB // 512))
        if is_partition:
            (folder / "partition").write_text("1")
        (self.root / name).write_bytes(b"\xaa" * 4 * MIB)

    def open(self, name: str) -> Any:
        return open_disk(str(self.root / name.removeprefix("/dev/")))

    def describe(self, argv: list[str]) -> str:
        return f"MD_LEVEL=raid1\nMD_NAME=any:{self.names[Path(argv[-1]).name]}\n"

    def erase(self, step: str, node: Any = MADE) -> set[str]:
        """What the step says it has erased."""
        done = execute_step(
            Phase.CLEAN, self.context, Progress(), step={"step": step}, node=node, ports=[],
            version=current_versions(),
        )  # fmt: skip
        assert isinstance(done, dict)
        return {Path(name).name for name in done}

    def is_whole(self, name: str) -> bool:
        return (self.root / name).read_bytes() == b"\xaa" * 4 * MIB


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@STEPS
def test_arrays_are_erased_and_stay(world: World, step: str) -> None:
    assert world.erase(step) == {"md0", "md1", "sdc", "sda1", "sdb1"}
    assert not any(map(world.is_whole, ("md0", "md1", "sdc", "sda1", "sdb1")))
    assert all(map(world.is_whole, ("sda", "sdb", "sda2", "sdb2", "sda3", "sdb3")))
    assert world.child.lines()[0] == "mdadm --assemble --scan --run"
    assert not [line for line in world.child.lines() if line.startswith("mdadm --stop")]


def test_no_drive_is_told_to_erase_itself_for_the_sake_of_a_part_of_it(world: World) -> None:
    world.erase("erase_devices")
    asked = {line for line in world.child.lines() if not line.startswith("mdadm")}
    assert asked == {"hdparm -I /dev/sdc"}


def test_an_array_of_a_former_user_goes_with_its_disks(world: World) -> None:
    world.names["md1"] = "mine"
    assert world.erase("erase_devices") == {"md0", "sdc", "sda1", "sdb1", "sda3", "sdb3"}
    assert "mdadm --stop /dev/md1" in world.child.lines()
    world.child.answers["mdadm --stop"] = ChildFailed("Cannot get exclusive access")
    with pytest.raises(RaidError, match="exclusive access"):
        world.erase("erase_devices")


def test_an_array_that_lacks_too_many_disks_does_not_hide_those_it_has(world: World) -> None:
    world.devices = [device for device in world.devices if device.name != "/dev/md1"]
    assert world.erase("erase_devices") == {"md0", "sdc", "sda1", "sdb1", "sda3", "sdb3"}


def test_without_arrays_of_its_own_every_disk_of_a_node_is_erased(world: World) -> None:
    for node in ({}, {"raid_config": {}}, {"target_raid_config": MADE["raid_config"]}):
        assert world.erase("erase_devices_metadata", node) == {"sda", "sdb", "sdc"}
    assert not [line for line in world.child.lines() if line.startswith("mdadm")]


@STEPS
@pytest.mark.parametrize(
    ("skip", "erased"),
    [
        ([{"name": "/dev/sda"}, {"name": "/dev/sdb"}], {"sdc"}),
        ([{"name": "/dev/sda"}], {"sdc"}),
        ([{"name": "/dev/md1"}], {"md0", "sdc"}),
        ([{"volume_name": "root"}], {"md1", "sdc"}),
        ([{"name": "/dev/sdc"}], {"md0", "md1", "sda1", "sdb1"}),
    ],
)
def test_skipped_arrays_and_arrays_of_skipped_disks_are_left_alone(
    world: World, step: str, skip: object, erased: set[str]
) -> None:
    assert world.erase(step, MADE | skipping(skip)) == erased
    assert {path.name for path in world.root.glob("[ms]d*") if not world.is_whole(path.name)} == erased
    assert not [line for line in world.child.lines() if line.startswith("mdadm --stop")]


@pytest.mark.parametrize("entry", [{"volume_name": "mine"}, {"name": "s== /dev/md1"}])
def test_a_skipped_array_may_be_one_that_nobody_made_for_the_node(world: World, entry: object) -> None:
    world.names["md1"] = "mine"
    for node, left in ((MADE, {"md0", "sdc"}), ({}, {"sdc"})):
        assert world.erase("erase_devices", node | skipping([entry])) == left
        assert "mdadm --stop /dev/md1" not in world.child.lines()
    assert "mdadm --stop /dev/md0" in world.child.lines()


def test_a_former_users_array_keeps_no_disk_from_erasure_by_a_part_on_a_skipped_one_or_by_its_size(
    world: World,
) -> None:
    world.names = {"md0": "his", "md1": "hers"}
    world.devices[0] = world.devices[0]._replace(size=10 * GIB)
    skip = [{"name": "/dev/sda"}, {"size": ">= 10"}]
    assert world.erase("erase_devices_metadata", MADE | skipping(skip)) == {"sdb", "sdc"}


@pytest.mark.parametrize("skip", ["/dev/sda", ["/dev/sda"], {"name": "/dev/sda"}])
def test_nothing_is_erased_or_written_where_the_skipped_disks_are_not_understood(
    world: World, skip: object
) -> None:
    for node in (MADE, {}):
        with pytest.raises(InvalidRequest, match="skip_block_devices"):
            world.erase("erase_devices", node | skipping(skip))
        world.context.node = node | skipping(skip)
        with pytest.raises(InvalidRequest, match="skip_block_devices"):
            world.context.choose_root_device()
    assert all(map(world.is_whole, ("md0", "md1", "sda", "sdb", "sdc")))


@pytest.mark.parametrize("folder", ["", "/dev/"])
def test_arrays_that_ironic_python_agent_made_are_the_nodes_own(world: World, folder: str) -> None:
    world.names = {"md0": f"{folder}md0", "md1": f"{folder}md1"}
    node = {"raid_config": {"logical_disks": [DATA, DATA | {"is_root_volume": True}]}}
    assert world.erase("erase_devices", node) == {"md0", "md1", "sdc", "sda1", "sdb1"}
    world.devices = [device._replace(size=10 * GIB) for device in world.devices]
    world.context.node = node
    assert world.context.choose_root_device().name == "/dev/md1"


def test_an_array_may_be_called_as_ironic_python_agent_calls_its_own(world: World) -> None:
    world.names = {"md0": "md1", "md1": "md0"}
    disks = [DATA | {"volume_name": "md1"}, DATA | {"volume_name": "md0"}]
    erased = world.erase("erase_devices", {"raid_config": {"logical_disks": disks}})
    assert erased == {"md0", "md1", "sdc", "sda1", "sdb1"}


def test_no_image_goes_to_one_disk_alone_where_arrays_were_asked_for(world: World, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    bare = Machine(
        lambda: [PLAIN, PLAIN._replace(name="/dev/sdb", size=200 * GIB)],
        run=world.child,
        root=str(tmp_path / "bare"),
    )
    context = Context(Settings(), bare)
    context.node = MADE
    with pytest.raises(DeviceNotFound, match=r"raid_config .* create_configuration"):
        context.choose_root_device()
    context.node = MADE | {"properties": {"root_device": {"name": "/dev/sdb"}}}
    assert context.choose_root_device().name == "/dev/sdb"
    context.node = {"target_raid_config": MADE["raid_config"]}
    assert context.choose_root_device().name == "/dev/sda"
