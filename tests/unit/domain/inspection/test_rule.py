from typing import Any

import pytest

from bessemer.domain.inspection.call import ACTIONS, CONDITIONS, Multiple
from bessemer.domain.inspection.rule import (
    InspectionRule,
    check_actions,
    check_conditions,
    check_update,
    in_order,
)
from bessemer.kernel.error import InvalidValue

#: For each operation, arguments that are right.
CONDITION_ARGS: dict[str, dict[str, Any]] = {
    "eq": {"values": ["{node.driver}", "redfish"], "force_strings": True},
    "lt": {"values": [1, 2]},
    "gt": {"values": [2, 1]},
    "is-empty": {"value": ""},
    "in-net": {"address": "{inventory[bmc_address]}", "subnet": "192.0.2.0/24"},
    "matches": {"value": "x", "regex": "x+"},
    "contains": {"value": "x", "regex": "x+"},
    "one-of": {"value": 1, "values": [1, 2]},
    "is-none": {"value": None},
    "is-true": {"value": "yes"},
    "is-false": {"value": 0},
}
ACTION_ARGS: dict[str, dict[str, Any]] = {
    "fail": {"msg": "no"},
    "log": {"msg": "hello", "level": "warning"},
    "set-attribute": {"path": "/driver_info/x", "value": 1},
    "extend-attribute": {"path": "/extra/x", "value": 1, "unique": True},
    "del-attribute": {"path": "/extra/x"},
    "set-capability": {"name": "a", "value": "b"},
    "unset-capability": {"name": "a"},
    "add-trait": {"name": "CUSTOM_A"},
    "remove-trait": {"name": "CUSTOM_A"},
    "set-plugin-data": {"path": "/x", "value": 1},
    "extend-plugin-data": {"path": "x.y", "value": 1},
    "unset-plugin-data": {"path": "x/y"},
    "set-port-attribute": {"port_id": "52:54:00:00:00:01", "path": "/pxe_enabled", "value": False},
    "extend-port-attribute": {"port_id": "{item}", "path": "/extra/x", "value": 1},
    "del-port-attribute": {"port_id": "{item}", "path": "/physical_network"},
    "api-call": {
        "url": "https://x",
        "headers": {"a": "b"},
        "timeout": 1,
        "retries": 0,
        "backoff_factor": 0.1,
    },
}


def test_the_examples_name_every_operation() -> None:
    assert CONDITION_ARGS.keys() == CONDITIONS.keys()
    assert ACTION_ARGS.keys() == ACTIONS.keys()


@pytest.mark.parametrize("op", CONDITIONS)
def test_every_condition_is_understood(op: str) -> None:
    for name in (op, f"!{op}", f"! {op}"):
        [call] = check_conditions([{"op": name, "args": CONDITION_ARGS[op]}])
        assert (call.op, call.is_negated, call.args) == (op, name != op, CONDITION_ARGS[op])


@pytest.mark.parametrize("op", ACTIONS)
def test_every_action_is_understood(op: str) -> None:
    [call] = check_actions([{"op": op, "args": ACTION_ARGS[op], "loop": [1, 2]}])
    assert (call.op, call.args, call.loop) == (op, ACTION_ARGS[op], [1, 2])


@pytest.mark.parametrize(
    ("check", "op", "args"),
    [
        *((check_conditions, op, args) for op, args in CONDITION_ARGS.items()),
        *((check_actions, op, args) for op, args in ACTION_ARGS.items()),
    ],
)
def test_missing_and_unknown_arguments_are_refused_by_name(check: Any, op: str, args: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match=rf"\[0\]: {op} has no argument 'colour'"):
        check([{"op": op, "args": {**args, "colour": 1}}])
    with pytest.raises(InvalidValue, match=rf"\[0\]: {op} lacks the argument '{next(iter(args))}'"):
        check([{"op": op, "args": {name: args[name] for name in list(args)[1:]}}])


@pytest.mark.parametrize(
    ("item", "args"),
    [
        ({"op": "eq", "args": [1, 2, 3]}, {"values": [1, 2, 3]}),
        ({"op": "eq", "args": [[1, 2]]}, {"values": [1, 2]}),
        ({"op": "eq", "args": [["1", 1], True]}, {"values": ["1", 1], "force_strings": True}),
        ({"op": "contains", "args": ["abc", "b"]}, {"value": "abc", "regex": "b"}),
        ({"op": "one-of", "args": [1, [1, 2]]}, {"value": 1, "values": [1, 2]}),
    ],
)
def test_arguments_may_be_given_in_order(item: dict[str, Any], args: dict[str, Any]) -> None:
    assert check_conditions([item])[0].args == args


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (5, "must be an object"),
        ({"args": {}}, "lacks 'op'"),
        ({"op": "eq"}, "lacks 'args'"),
        ({"op": "eq", "args": {}, "colour": 1}, "has no 'colour'"),
        ({"op": "equal", "args": {}}, "'equal' is unknown"),
        ({"op": ["eq"], "args": {}}, "unknown"),
        ({"op": "!!eq", "args": {"values": []}}, "unknown"),
        ({"op": "fail", "args": {"msg": "x"}}, "'fail' is unknown"),
        ({"op": "eq", "args": "ab"}, "object or a list"),
        ({"op": "is-none", "args": [1, 2]}, "at most 1"),
        ({"op": "matches", "args": {"value": 1, "regex": "("}}, "regex: not a regular expression"),
        ({"op": "matches", "args": {"value": 1, "regex": "x" * 1001}}, "at most 1000"),
        ({"op": "in-net", "args": {"address": "1.2.3.4", "subnet": "net"}}, "subnet"),
        ({"op": "eq", "args": {"values": [], "force_strings": "no"}}, "force_strings"),
        ({"op": "eq", "args": [1, 2], "loop": "abc"}, "loop must be a list"),
        ({"op": "eq", "args": [1, 2], "loop": [], "multiple": "most"}, "multiple must be one of"),
    ],
)
def test_what_is_no_condition_is_refused(condition: object, words: str) -> None:
    good = {"op": "is-none", "args": [None]}
    with pytest.raises(InvalidValue, match=rf"conditions\[1\].*{words}"):
        check_conditions([good, condition])


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"op": "eq", "args": [1, 2]}, "'eq' is unknown"),
        ({"op": "!fail", "args": ["x"]}, "unknown"),
        ({"op": "fail", "args": ["x"], "loop": [1], "multiple": "any"}, "has no 'multiple'"),
        ({"op": "fail", "args": {"msg": 5}}, "msg: must be text"),
        ({"op": "log", "args": {"msg": "x", "level": "loud"}}, "level: one of debug"),
        ({"op": "add-trait", "args": ["gpu"]}, "'gpu' is not a trait"),
        ({"op": "set-attribute", "args": ["", 1]}, "path"),
        ({"op": "set-attribute", "args": ["/extra//x", 1]}, "empty part"),
        ({"op": "set-attribute", "args": ["/provision_state", "active"]}, "can not change 'provision_state'"),
        ({"op": "del-attribute", "args": ["/uuid"]}, "can not change 'uuid'"),
        ({"op": "set-port-attribute", "args": ["x", "/address", "y"]}, "can not change 'address'"),
        ({"op": "extend-attribute", "args": ["/extra/x", 1, "yes"]}, "unique"),
        ({"op": "api-call", "args": {"url": "https://x", "timeout": -1}}, "timeout"),
        ({"op": "api-call", "args": {"url": "https://x", "headers": []}}, "headers"),
    ],
)
def test_what_is_no_action_is_refused(action: object, words: str) -> None:
    with pytest.raises(InvalidValue, match=rf"actions\[1\].*{words}"):
        check_actions([{"op": "log", "args": ["x"]}, action])


def test_values_that_depend_on_what_is_found_are_not_judged_before() -> None:
    check_actions([{"op": "add-trait", "args": ["CUSTOM_{inventory[cpu][architecture]}"]}])
    check_actions([{"op": "set-attribute", "args": ["{item[path]}", 1], "loop": [{"path": "/extra/x"}]}])


def test_a_rule_may_be_without_conditions_but_not_without_actions() -> None:
    assert check_conditions([]) == []
    for actions in ([], None, "fail", {"op": "fail"}):
        with pytest.raises(InvalidValue, match="actions"):
            check_actions(actions)


def test_a_loop_is_combined_by_any_unless_it_says_otherwise() -> None:
    [plain, told] = check_conditions(
        [
            {"op": "eq", "args": [1, 2], "loop": []},
            {"op": "eq", "args": [1, 2], "loop": [], "multiple": "all"},
        ]
    )
    assert (plain.multiple, told.multiple) == (Multiple.ANY, Multiple.ALL)


def a_rule(uuid: str, priority: int, created_at: str) -> InspectionRule:
    return InspectionRule(uuid=uuid, priority=priority, created_at=created_at)


def test_rules_run_from_the_highest_priority_down_and_older_ones_first() -> None:
    rules = [a_rule("c", 5, "2"), a_rule("b", 5, "1"), a_rule("d", -1, "0"), a_rule("a", 10000, "3")]
    assert [rule.uuid for rule in in_order(rules)] == ["a", "b", "c", "d"]


def test_a_sensitive_rule_stays_sensitive() -> None:
    rule = InspectionRule(uuid="a", created_at="", sensitive=True)
    check_update(rule, sensitive=True)
    with pytest.raises(InvalidValue, match="sensitive"):
        check_update(rule, sensitive=False)
