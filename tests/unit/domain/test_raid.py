from typing import Any

import pytest

from bessemer.domain.raid import LEVELS, check_raid_config, check_software_raid, is_software
from bessemer.kernel.error import InvalidValue

DISK = {"size_gb": 100, "raid_level": "1"}
EVERYTHING = {
    "size_gb": "MAX",
    "raid_level": "5+0",
    "volume_name": "root",
    "is_root_volume": True,
    "share_physical_disks": False,
    "disk_type": "ssd",
    "interface_type": "sas",
    "number_of_physical_disks": 4,
    "controller": "RAID.Integrated.1-1",
    "physical_disks": ["disk-0", "disk-1"],
}


def config(*disks: dict[str, Any]) -> dict[str, Any]:
    return {"logical_disks": list(disks)}


@pytest.mark.parametrize(
    "value", [{}, config(DISK), config(EVERYTHING, DISK), config({**DISK, "size_gb": 0})]
)
def test_configurations_of_the_right_form_are_accepted(value: dict[str, Any]) -> None:
    check_raid_config(value)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_accepted(level: str) -> None:
    check_raid_config(config({**DISK, "raid_level": level}))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "object"),
        (None, "object"),
        ({"disks": []}, "has no 'disks'"),
        ({"logical_disks": [DISK], "x": 1}, "has no 'x'"),
        ({"logical_disks": []}, "at least one"),
        ({"logical_disks": DISK}, "list"),
        (config(DISK, 5), r"logical_disks\[1\] must be an object"),  # type: ignore[arg-type]
        (config({"raid_level": "1"}), "lacks 'size_gb'"),
        (config({"size_gb": 1}), "lacks 'raid_level'"),
        (config({**DISK, "colour": 1}), "has no 'colour'"),
        (config({**DISK, "is_root_volume": True}, {**DISK, "is_root_volume": True}), "one logical disk"),
        (config({**DISK, "physical_disks": ["a"]}), "without a controller"),
    ],
)
def test_what_is_no_configuration_is_refused(value: object, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        check_raid_config(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size_gb", -1), ("size_gb", "max"), ("size_gb", True), ("size_gb", 1.5), ("raid_level", 1),
        ("raid_level", "10"), ("volume_name", 5), ("is_root_volume", "yes"), ("share_physical_disks", None),
        ("disk_type", "nvme"), ("interface_type", "pcie"), ("number_of_physical_disks", 0), ("controller", 1),
        ("physical_disks", []), ("physical_disks", "sda"), ("physical_disks", [1]),
        ("physical_disks", [{"size": 10}]), ("physical_disks", ["a", {"size": 10}]),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_disk_and_property(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=rf"logical_disks\[1\]\.{name} must be"):
        check_raid_config(config(DISK, {**DISK, "controller": "c", name: value}))


SOFT = {**DISK, "controller": "software"}
HINTS = [{"size": "> 100"}, {"name": "/dev/sdb"}]


@pytest.mark.parametrize(
    "value",
    [
        {},
        config(SOFT),
        config({**SOFT, "physical_disks": HINTS}),
        *(
            config(SOFT, {**SOFT, "raid_level": level, "size_gb": "MAX"})
            for level in ("0", "1", "1+0", "5", "6")
        ),
    ],
)
def test_the_agent_makes_a_mirror_and_perhaps_another_array(value: dict[str, Any]) -> None:
    check_software_raid(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (config(SOFT, DISK), "controller 'software'"),
        (config(SOFT, SOFT, SOFT), "at most two"),
        (config({**SOFT, "raid_level": "0"}), r"logical_disks\[0\]\.raid_level can not be 0"),
        (config(SOFT, {**SOFT, "raid_level": "JBOD"}), r"logical_disks\[1\]\.raid_level"),
        (config({**SOFT, "size_gb": "MAX"}, {**SOFT, "size_gb": "MAX"}), "MAX"),
        (config({**SOFT, "volume_name": "a"}, {**SOFT, "volume_name": "a"}), "same volume_name"),
        ({"x": 1}, "has no 'x'"),
    ],
)
def test_other_software_raid_is_refused(value: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        check_software_raid(value)


def test_one_software_disk_makes_a_software_configuration() -> None:
    assert is_software(config(DISK, SOFT))
    assert not is_software(config(DISK))
    assert not is_software({})
