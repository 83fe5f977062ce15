from typing import Any

import pytest

from bessemer.domain.inspection.call import parse_condition
from bessemer.domain.inspection.condition import holds
from bessemer.kernel.error import InvalidValue

NAMES: dict[str, Any] = {
    "node": {"driver": "redfish", "name": None},
    "inventory": {
        "cpu": {"count": 8, "architecture": "x86_64"},
        "memory": {"physical_mb": 4096},
        "bmc_address": "192.0.2.7",
        "disks": [],
        "system_vendor": {"manufacturer": "Dell Inc.", "product_name": "PowerEdge R640"},
    },
    "plugin_data": {"yes": True, "zero": 0, "word": "NO", "count": "12"},
}


def judged(op: str, args: Any, **more: Any) -> bool:
    return holds(parse_condition("condition", {"op": op, "args": args, **more}), NAMES)


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        ("eq", [1, 1, 1], True),
        ("eq", [1, 1, 2], False),
        ("eq", ["a"], True),
        ("eq", ["{node.driver}", "redfish"], True),
        ("eq", ["{inventory[cpu][count]}", 8], True),
        ("eq", ["{inventory[cpu][count]}", "8"], True),
        ("eq", ["1", "01"], False),
        ("eq", [1, "1.0"], True),
        ("eq", ["a", 1], False),
        ("eq", ["{inventory[absent]}", "x"], False),
        ("eq", {"values": [1, "1.0"], "force_strings": True}, False),
        ("eq", {"values": [None, "None"], "force_strings": True}, True),
        ("lt", [1, 2, 3], True),
        ("lt", [1, 3, 2], False),
        ("lt", [1, 1], False),
        ("lt", ["{inventory[memory][physical_mb]}", 5000], True),
        ("lt", ["{plugin_data[count]}", 9], False),
        ("lt", ["a", "b"], True),
        ("lt", ["{inventory[absent]}", 5], False),
        ("gt", [3, 2, 1], True),
        ("gt", [3, 1, 2], False),
        ("gt", ["{inventory[absent]}", 5], False),
        ("gt", {"values": [10, 9], "force_strings": True}, False),
        ("is-empty", [""], True),
        ("is-empty", [[]], True),
        ("is-empty", [{}], True),
        ("is-empty", ["{inventory[disks]}"], True),
        ("is-empty", ["{inventory[absent]}"], True),
        ("is-empty", ["{inventory[cpu]}"], False),
        ("is-empty", [0], False),
        ("in-net", ["{inventory[bmc_address]}", "192.0.2.0/24"], True),
        ("in-net", ["{inventory[bmc_address]}", "198.51.100.0/24"], False),
        ("in-net", ["192.0.2.7", "192.0.2.7/24"], True),
        ("in-net", ["2001:db8::1", "192.0.2.0/24"], False),
        ("in-net", ["{inventory[absent]}", "192.0.2.0/24"], False),
        ("matches", ["{inventory[cpu][architecture]}", "x86.*"], True),
        ("matches", ["{inventory[cpu][architecture]}", "x86"], False),
        ("matches", ["{inventory[cpu][count]}", "[0-9]"], True),
        ("matches", ["{inventory[absent]}", ".*"], False),
        ("contains", ["{inventory[system_vendor][manufacturer]}", "(?i)dell"], True),
        ("contains", ["{inventory[system_vendor][manufacturer]}", "HPE"], False),
        ("one-of", ["{inventory[cpu][count]}", [4, 8]], True),
        ("one-of", ["{inventory[cpu][count]}", ["4", "8"]], True),
        ("one-of", ["x", []], False),
        ("is-none", ["{node.name}"], True),
        ("is-none", ["{inventory[absent]}"], True),
        ("is-none", [""], False),
        ("is-none", ["None"], False),
        *(
            (("is-true", [value], True))
            for value in (True, 1, -2.5, "yes", "TRUE", "{plugin_data[yes]}", "1")
        ),
        *(
            (("is-true", [value], False))
            for value in (False, 0, None, "no", "on", "", [1], "{plugin_data[zero]}")
        ),
        *(
            (("is-false", [value], True))
            for value in (False, 0, 0.0, None, "{plugin_data[word]}", "False", "0")
        ),
        *((("is-false", [value], False)) for value in (True, 1, "yes", "", "off", [])),
    ],
)
def test_a_condition_holds_exactly_when_it_should(op: str, args: Any, expected: bool) -> None:
    assert judged(op, args) is expected
    assert judged(f"!{op}", args) is not expected


@pytest.mark.parametrize(
    ("multiple", "answers", "expected"),
    [
        ("any", "ny", True), ("any", "nn", False), ("any", "", False),
        ("all", "yy", True), ("all", "ny", False), ("all", "", True),
        ("first", "yn", True), ("first", "ny", False), ("first", "", False),
        ("last", "yn", False), ("last", "ny", True), ("last", "", False),
    ],
)  # fmt: skip
def test_the_answers_of_a_loop_become_one(multiple: str, answers: str, expected: bool) -> None:
    assert judged("eq", ["{item}", "y"], loop=list(answers), multiple=multiple) is expected


def test_without_a_word_one_item_is_enough() -> None:
    models = ["HPE ProLiant DL380", "PowerEdge R640"]
    assert judged("eq", ["{inventory[system_vendor][product_name]}", "{item}"], loop=models)


def test_negation_is_of_each_item() -> None:
    assert judged("!eq", ["{item}", "y"], loop=["y", "n"], multiple="any")
    assert not judged("!eq", ["{item}", "y"], loop=["y", "n"], multiple="all")


def test_items_may_hold_fields_themselves() -> None:
    assert judged("eq", ["{item[driver]}", "redfish"], loop=[{"driver": "{node.driver}"}])


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("lt", ["a", 1]),
        ("gt", [[1], {}]),
        ("eq", {"values": "{node.driver}"}),
        ("one-of", ["x", "xyz"]),
        ("in-net", ["{node.driver}", "192.0.2.0/24"]),
        ("in-net", ["192.0.2.7", "{node.driver}"]),
        ("matches", ["x", "{node.driver}("]),
    ],
)
def test_what_can_not_be_judged_is_an_error(op: str, args: Any) -> None:
    with pytest.raises(InvalidValue):
        judged(op, args)
