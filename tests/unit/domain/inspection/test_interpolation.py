from typing import Any

import pytest

from bessemer.domain.inspection.interpolation import interpolated, referred

NAMES: dict[str, Any] = {
    "node": {"driver": "redfish", "name": None, "properties": {"cpus": 4}},
    "inventory": {
        "cpu": {"count": 8},
        "bmc_address": "192.0.2.1",
        "disks": [{"name": "/dev/sda"}],
        "none": None,
    },
    "plugin_data": {"flag": True},
    "item": {"path": "/x"},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", "plain"),
        ("{node.driver}", "redfish"),
        ("{node.name}", "None"),
        ("{node.properties[cpus]}", "4"),
        ("https://{inventory[bmc_address]}:8000", "https://192.0.2.1:8000"),
        ("{inventory[disks][0][name]}", "/dev/sda"),
        ("{inventory[cpu][count]:>4}", "   8"),
        ("{plugin_data[flag]!s}", "True"),
        ("{item[path]}", "/x"),
        ("{{literal}}", "{literal}"),
    ],
)
def test_fields_are_filled_in_with_what_they_name(text: str, found: str) -> None:
    assert interpolated(text, NAMES) == found


@pytest.mark.parametrize(
    "text",
    [
        "{inventory.bmc_address}", "{node[driver]}", "{inventory[absent]}", "{node.absent}", "{unknown}",
        "{}", "{0}", "open {", "} closed", "{inventory[disks][1]}", "{inventory[disks][x]}",
        "{node.driver!z}",
        "{node.driver:>99999}", "{node.driver:{node.driver}}", "{node.driver:q}", "{node.driver[0]}",
        "{node.__class__}", "{node.driver.__class__}", "{inventory[cpu].__init__}", "{inventory[__class__]}",
        "{node.driver} and {absent}", '{"json": [1, 2]}',
    ],
)  # fmt: skip
def test_text_with_a_field_that_names_nothing_stays_as_it_is(text: str) -> None:
    assert interpolated(text, NAMES) == text


def test_text_is_filled_in_at_any_depth_and_other_values_stay() -> None:
    value = {"a": ["{node.driver}", {"b": "{inventory[cpu][count]}"}], "c": 5, "d": None}
    assert interpolated(value, NAMES) == {"a": ["redfish", {"b": "8"}], "c": 5, "d": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{inventory[cpu][count]}", 8),
        ("{inventory[disks]}", [{"name": "/dev/sda"}]),
        ("{plugin_data[flag]}", True),
        ("{node.name}", None),
        ("{inventory[absent]}", None),
        ("{inventory[cpu][absent]}", None),
        ("{inventory[none]}", None),
        ("count {inventory[cpu][count]}", "count 8"),
        ("{inventory.cpu}", "{inventory.cpu}"),
        ("{node.absent}", "{node.absent}"),
        ("{absent}", "{absent}"),
    ],
)
def test_a_lone_field_becomes_the_very_thing_it_names(text: str, found: object) -> None:
    assert referred(text, NAMES) == found
    assert referred({"values": [text, 1]}, NAMES) == {"values": [found, 1]}
