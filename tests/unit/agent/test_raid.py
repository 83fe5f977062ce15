"""Software RAID: what can be asked for, which part of which disk it takes, and what mdadm is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bessemer_agent.context import Context, Machine
from bessemer_agent.disk import MIB, open_disk
from bessemer_agent.error import ChildFailed, DeviceNotFound, InvalidRequest
from bessemer_agent.partition import NoRoom, Partition
from bessemer_agent.partition.gpt import ESP, LINUX_RAID
from bessemer_agent.partition.table import partition_node, read_table
from bessemer_agent.progress import Progress
from bessemer_agent.raid.array import RaidError, list_arrays
from bessemer_agent.raid.layout import ESP_BYTES, plan_parts
from bessemer_agent.raid.root import copy_esp
from bessemer_agent.raid.volume import choose_disks, read_volumes
from bessemer_agent.root_device import GIB
from bessemer_agent.settings import Settings
from bessemer_agent.step import current_versions, execute_step
from bessemer_agent.step.table import Phase
from unit.agent.device_maker import PLAIN
from unit.agent.fake_child import FakeChild

ROOT: dict[str, Any] = {"size_gb": 10, "raid_level": "1", "controller": "software"}
DATA: dict[str, Any] = {"size_gb": "MAX", "raid_level": "0", "controller": "software"}


def volumes(*disks: dict[str, Any]) -> Any:
    return read_volumes({"logical_disks": list(disks)})


@pytest.mark.parametrize(
    "config",
    [
        None, {}, {"logical_disks": []}, {"logical_disks": [ROOT, DATA, ROOT]}, {"logical_disks": ["x"]},
        *({"logical_disks": disks} for disks in (
            [DATA], [ROOT | {"raid_level": "2"}], [ROOT | {"controller": "perc"}], [ROOT | {"size_gb": 0}],
            [ROOT | {"size_gb": True}], [ROOT | {"volume_name": "a b"}], [ROOT | {"volume_name": "--x"}],
            [ROOT | {"size_gb": "MAX"}, DATA], [ROOT | {"physical_disks": "sda"}],
            [ROOT | {"number_of_physical_disks": 0}],
        )),
    ],
)  # fmt: skip
def test_what_the_kernel_cannot_make_is_refused(config: object) -> None:
    with pytest.raises(InvalidRequest):
        read_volumes(config)


def test_disks_are_all_or_those_named_by_name_or_hint() -> None:
    devices = [PLAIN._replace(name=f"/dev/sd{letter}", serial=letter) for letter in "abc"]

    def chosen(**more: Any) -> list[str]:
        (volume,) = volumes(ROOT | more)
        return [device.name for device in choose_disks(volume, devices)]

    assert chosen() == ["/dev/sda", "/dev/sdb", "/dev/sdc"]
    assert chosen(number_of_physical_disks=2) == ["/dev/sda", "/dev/sdb"]
    assert chosen(physical_disks=["/dev/sdc", "/dev/sda"]) == ["/dev/sdc", "/dev/sda"]
    assert chosen(physical_disks=[{"serial": "b"}, {"size": ">= 1"}]) == ["/dev/sdb", "/dev/sda"]
    for wrong in (["/dev/sda", "/dev/sdz"], ["/dev/sda", "/dev/sda"], ["/dev/sda"]):
        with pytest.raises(DeviceNotFound):
            chosen(physical_disks=wrong)


@pytest.mark.parametrize(
    ("level", "count", "share"),
    [("1", 2, 1.0), ("0", 4, 0.25), ("5", 3, 0.5), ("6", 4, 0.5), ("1+0", 4, 0.5)],
)
def test_every_disk_gives_its_share_and_some_room_for_the_arrays_own(
    level: str, count: int, share: float
) -> None:
    names = [f"/dev/sd{number}" for number in range(count)]
    asked = volumes(ROOT, ROOT | {"raid_level": level})
    first, second = plan_parts(asked, [names, names], dict.fromkeys(names, 100 * GIB))
    assert {part.start for part in first} == {MIB + ESP_BYTES}
    assert [part.disk for part in second] == names
    assert {part.start for part in second} == {first[0].start + first[0].size}
    assert {part.size - 130 * MIB for part in second} == {int(10 * GIB * share)}


def test_what_takes_the_rest_is_placed_last_and_ends_with_the_smallest_disk() -> None:
    sizes = {"/dev/sda": 20 * GIB, "/dev/sdb": 30 * GIB}
    asked = volumes(ROOT | {"size_gb": "MAX"}, ROOT | {"raid_level": "0"})
    rest, fixed = plan_parts(asked, [list(sizes)] * 2, sizes)
    assert {part.start for part in fixed} == {MIB + ESP_BYTES}
    assert {part.start + part.size for part in rest} == {20 * GIB - MIB}


def test_an_array_that_does_not_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(NoRoom, match=r"10370 MiB on each of /dev/sda; 8[0-9]* MiB are free"):
        plan_parts(volumes(ROOT), [["/dev/sda"]], {"/dev/sda": 9 * GIB})


def fake_array(root: Path, name: str, *parts: str) -> None:
    """An array as sysfs shows it, over partitions such as "sda2"."""
    (root / f"sys/block/{name}/md").mkdir(parents=True)
    (root / f"sys/block/{name}/slaves").mkdir()
    (root / "sys/class/block").mkdir(parents=True, exist_ok=True)
    for part in parts:
        place = root / "sys/devices" / part.rstrip("0123456789") / part
        place.mkdir(parents=True)
        (place / "partition").write_text("1")
        (root / f"sys/block/{name}/slaves" / part).symlink_to(place)
        (root / "sys/class/block" / part).symlink_to(place)


def test_running_arrays_are_listed_with_their_disks(tmp_path: Path) -> None:
    assert list_arrays(tmp_path) == []
    fake_array(tmp_path, "md127", "sda2", "sdb2")
    (tmp_path / "sys/block/mdadm-is-no-array").mkdir()
    assert list_arrays(tmp_path) == [("/dev/md127", ("/dev/sda", "/dev/sdb"), ("/dev/sda2", "/dev/sdb2"))]


class World:
    """Two files as disks, and mdadm that is a fake."""

    def __init__(self, root: Path) -> None:
        self.paths = [str(root / f"disk{number}") for number in range(2)]
        for path in self.paths:
            with Path(path).open("wb") as file:
                file.truncate(2 * GIB)
            for number in (2, 3):  # the kernel would make nodes of the partitions
                Path(partition_node(path, number)).touch()
        self.disks = [open_disk(path) for path in self.paths]
        self.child = FakeChild({"mdadm --create": "", "mdadm --stop": ""})
        devices = [PLAIN._replace(name=disk.path, size=disk.size_bytes) for disk in self.disks]
        self.context = Context(Settings(), Machine(lambda: devices, run=self.child, root=str(root)))

    def run(
        self, step: str, phase: Phase = Phase.CLEAN, target: Any = None, skip: Any = None, **args: Any
    ) -> Any:
        request = {"step": step, "interface": "raid", "args": args}
        node = {"target_raid_config": target, "properties": {"skip_block_devices": skip}}
        return execute_step(
            phase, self.context, Progress(), step=request, node=node, ports=[], version=current_versions()
        )

    def mdadm(self, verb: str) -> list[str]:
        return [line for line in self.child.lines() if line.startswith(f"mdadm --{verb}")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for disk in made.disks:
        disk.close()


SMALL = {"logical_disks": [ROOT | {"size_gb": 1, "volume_name": "root"}]}


def test_arrays_are_made_of_fresh_partitions_and_described(world: World) -> None:
    made = world.run("create_configuration", target=SMALL)
    described = SMALL["logical_disks"][0] | {"device": "/dev/md0", "physical_disks": world.paths}
    assert made == {"logical_disks": [described]}
    for disk in world.disks:
        table = read_table(disk)
        assert table is not None
        assert [(part.kind, part.size) for part in table.partitions] == [
            (ESP, ESP_BYTES), (LINUX_RAID, GIB + 130 * MIB),
        ]  # fmt: skip
    nodes = " ".join(partition_node(path, 2) for path in world.paths)
    (line,) = world.mdadm("create")
    assert line.startswith(
        "mdadm --create /dev/md0 --run --metadata=1.2 --homehost=any --level=1 --name=root "
    )
    assert line.endswith(f" --raid-devices=2 {nodes}")


def test_disks_with_partitions_are_left_alone_unless_they_may_go(world: World) -> None:
    world.run("create_configuration", target=SMALL)
    with pytest.raises(RaidError, match="has partitions"):
        world.run("create_configuration", target=SMALL)
    assert len(world.mdadm("create")) == 1
    world.run("create_configuration", target=SMALL, delete_existing=True)
    world.run("apply_configuration", Phase.DEPLOY, raid_config=SMALL)
    assert len(world.mdadm("create")) == 3


def test_what_cannot_be_made_is_refused_before_anything_is_deleted(world: World) -> None:
    world.run("create_configuration", target=SMALL)
    large = {"logical_disks": [ROOT | {"size_gb": 100}]}
    with pytest.raises(NoRoom):
        world.run("create_configuration", target=large, delete_existing=True)
    assert read_table(world.disks[0])
    with pytest.raises(InvalidRequest):
        world.run("create_configuration", target=SMALL, delete_existing="yes")


def test_a_kernel_that_refuses_is_quoted(world: World) -> None:
    world.child.answers["mdadm --create"] = ChildFailed("mdadm: RUN_ARRAY failed: Invalid argument")
    with pytest.raises(RaidError, match="RUN_ARRAY failed"):
        world.run("create_configuration", target=SMALL)


def test_deleting_stops_arrays_and_empties_their_disks_only(world: World, tmp_path: Path) -> None:
    world.run("create_configuration", target=SMALL)
    other = read_table(world.disks[1])
    assert other is not None
    fake_array(tmp_path, "md0", "sda2")
    assert world.run("delete_configuration") == world.paths
    assert world.mdadm("stop") == ["mdadm --stop /dev/md0"]
    assert [read_table(disk) for disk in world.disks] == [None, None]
    assert world.run("delete_configuration") == []


def test_a_damaged_table_of_another_disk_does_not_keep_arrays_from_being_deleted(world: World) -> None:
    world.run("create_configuration", target=SMALL)
    other = world.disks[1]
    for header in (512, other.size_bytes - 512):
        other.write(header + 30, b"\xff")
    assert world.run("delete_configuration") == world.paths[:1]
    assert read_table(world.disks[0]) is None


@pytest.mark.parametrize("entry", [{"volume_name": "root"}, {"name": "/dev/md0"}])
def test_skipped_arrays_are_not_deleted_and_nothing_is_made_of_their_disks(
    world: World, tmp_path: Path, entry: object
) -> None:
    world.run("create_configuration", target=SMALL)
    fake_array(tmp_path, "md0", "sda2")
    fake_array(tmp_path, "md1", "sdc2")
    below, other = world.context.machine.list_devices()
    # Both files are disks of the machine; the kernel has the first as the disk below md0.
    below, array = below._replace(name="/dev/sda"), below._replace(name="/dev/md0")
    world.context.machine.list_devices = lambda: [array, below, other]
    world.child.answers["mdadm --detail --export /dev/md0"] = "MD_NAME=any:root\n"
    assert world.run("delete_configuration", skip=[entry]) == [other.name]
    assert world.mdadm("stop") == ["mdadm --stop /dev/md1"]
    made = len(world.mdadm("create"))
    for delete_existing in (False, True):
        with pytest.raises(DeviceNotFound):
            world.run("create_configuration", target=SMALL, skip=[entry], delete_existing=delete_existing)
    assert read_table(world.disks[0])
    assert len(world.mdadm("create")) == made


def test_an_array_in_use_is_not_torn_from_its_user(world: World, tmp_path: Path) -> None:
    world.run("create_configuration", target=SMALL)
    fake_array(tmp_path, "md0", "sda2")
    world.child.answers["mdadm --stop"] = ChildFailed("Cannot get exclusive access to /dev/md0")
    with pytest.raises(RaidError, match="exclusive access"):
        world.run("delete_configuration")
    assert read_table(world.disks[0])


def test_an_image_goes_to_the_root_array_and_never_to_the_disks_below(world: World, tmp_path: Path) -> None:
    fake_array(tmp_path, "md126", "sda3", "sdb3")
    fake_array(tmp_path, "md127", "sda2", "sdb2")
    names = ("/dev/md126", "/dev/md127", "/dev/sda", "/dev/sdb", "/dev/sdc")
    devices = [PLAIN._replace(name=name, size=size * GIB) for size, name in enumerate(names, 10)]
    world.context.machine.list_devices = lambda: devices
    world.child.answers["mdadm --detail --export /dev/md127"] = "MD_LEVEL=raid1\nMD_NAME=any:root\n"
    world.child.answers["mdadm --detail --export /dev/md126"] = "MD_NAME=1\n"
    disks = [ROOT | {"volume_name": "root"}, DATA]
    world.context.node = {"raid_config": {"logical_disks": disks}}
    assert world.context.choose_root_device().name == "/dev/md127"
    assert world.mdadm("assemble") == ["mdadm --assemble --scan --run"]
    swapped = [disks[0], DATA | {"is_root_volume": True}]
    world.context.node = {"target_raid_config": {"logical_disks": swapped}}
    assert world.context.choose_root_device().name == "/dev/md126"
    world.context.node = {"properties": {"root_device": {"name": "/dev/sdc"}}}
    assert world.context.choose_root_device().name == "/dev/sdc"
    world.context.node = {"properties": {"root_device": {"name": "/dev/sda"}}}
    with pytest.raises(DeviceNotFound):
        world.context.choose_root_device()


def test_what_firmware_reads_is_copied_out_of_the_array(world: World, tmp_path: Path) -> None:
    world.disks[0].write(5 * MIB, b"ab" * MIB)
    esp = Partition(1, 5 * MIB, 2 * MIB, ESP, "esp", "")
    copy_esp(world.disks[0], esp, world.disks[1])
    assert world.disks[1].read(0, 2 * MIB) == b"ab" * MIB
    small = tmp_path / "small"
    small.write_bytes(bytes(MIB))
    with open_disk(str(small)) as disk, pytest.raises(NoRoom, match="2 MiB"):
        copy_esp(world.disks[0], esp, disk)
