from typing import Any

import pytest

from bessemer.domain.inspection.action import ApiCall, Message
from bessemer.domain.inspection.evaluation import Outcome, Subject, apply_rules
from bessemer.domain.inspection.rule import InspectionRule, check_actions
from bessemer.domain.port import Port
from fakes.store import a_node

MAC = "52:54:00:00:00:01"
PORT = Port(uuid="11111111-1111-1111-1111-111111111111", address=MAC, node_uuid="n", created_at="")
NODE = a_node(
    name="n1",
    driver_info={"redfish_address": "https://old", "list": [1]},
    properties={"capabilities": "boot_mode:uefi,cpu_vt:true"},
)
INVENTORY = {"bmc_address": "192.0.2.1", "cpu": {"count": 8}}


def a_rule(*actions: dict[str, Any], **fields: Any) -> InspectionRule:
    return InspectionRule(**{"uuid": "rule-1", "created_at": "", "actions": actions, **fields})


def do(op: str, *args: Any, loop: list[Any] | None = None) -> dict[str, Any]:
    """An action with its arguments in order."""
    return {"op": op, "args": list(args)} | ({} if loop is None else {"loop": loop})


def applied(*rules: InspectionRule, node: Any = NODE, **facts: Any) -> Outcome:
    given = {"inventory": INVENTORY, "plugin_data": {"seen": [1]}, "ports": [PORT], **facts}
    return apply_rules(rules, Subject(node=node, **given))


def changes(*actions: dict[str, Any]) -> dict[str, Any]:
    """What the actions change of the node."""
    outcome = applied(a_rule(*actions))
    assert outcome.failure is None
    return outcome.node_changes


def test_a_rule_without_conditions_always_applies() -> None:
    outcome = applied(a_rule(do("set-attribute", "/description", "seen {node.name}")))
    assert outcome.node_changes == {"description": "seen n1"}
    assert outcome.applied == ("rule-1",)


def test_nothing_changes_when_a_condition_does_not_hold() -> None:
    conditions = ({"op": "eq", "args": [1, 1]}, {"op": "eq", "args": ["{node.name}", "other"]})
    outcome = applied(a_rule(do("fail", "never"), conditions=conditions))
    assert outcome == Outcome(plugin_data={"seen": [1]})


def test_what_was_there_before_stays_untouched() -> None:
    before, data = NODE.driver_info["list"], {"seen": [1]}
    rule = a_rule(do("extend-attribute", "/driver_info/list", 2), do("extend-plugin-data", "/seen", 2))
    outcome = applied(rule, plugin_data=data)
    assert outcome.node_changes["driver_info"]["list"] == [1, 2]
    assert outcome.plugin_data == {"seen": [1, 2]}
    assert (before, data) == ([1], {"seen": [1]})


@pytest.mark.parametrize(
    "path", ["/driver_info/ipmi_address", "driver_info/ipmi_address", "driver_info.ipmi_address"]
)
def test_attributes_are_set_by_every_notation_and_their_neighbours_stay(path: str) -> None:
    found = changes(do("set-attribute", path, "{inventory[bmc_address]}"))
    assert found == {"driver_info": {**NODE.driver_info, "ipmi_address": "192.0.2.1"}}


def test_objects_on_the_way_are_made() -> None:
    assert changes(do("set-attribute", "/extra/a/b~1c", 5)) == {"extra": {"a": {"b/c": 5}}}


def test_text_becomes_what_the_field_holds() -> None:
    found = changes(
        do("set-attribute", "/maintenance", "true"), do("set-attribute", "/automated_clean", False)
    )
    assert found == {"maintenance": True, "automated_clean": False}


@pytest.mark.parametrize(
    ("action", "found"),
    [
        (do("extend-attribute", "/driver_info/list", 1, True), {}),
        (do("extend-attribute", "/driver_info/list", 2, True), {"driver_info": {"list": [1, 2]}}),
        (do("extend-attribute", "/driver_info/new", 2), {"driver_info": {"new": [2]}}),
        (do("del-attribute", "/driver_info/list"), {"driver_info": {"redfish_address": "https://old"}}),
        (do("del-attribute", "/driver_info/absent/deeper"), {}),
        (do("del-attribute", "/name"), {"name": None}),
        (do("del-attribute", "/properties"), {"properties": {}}),
        (do("set-capability", "a", "b"), {"properties": {"capabilities": "boot_mode:uefi,cpu_vt:true,a:b"}}),
        (
            do("set-capability", "boot_mode", "bios"),
            {"properties": {"capabilities": "cpu_vt:true,boot_mode:bios"}},
        ),
        (do("unset-capability", "cpu_vt"), {"properties": {"capabilities": "boot_mode:uefi"}}),
        (do("unset-capability", "absent"), {}),
    ],
)
def test_attributes_change_as_the_action_says(action: dict[str, Any], found: dict[str, Any]) -> None:
    result = changes(action)
    assert result.keys() == found.keys()
    for field, value in found.items():
        if isinstance(value, dict) and field == "driver_info" and "redfish_address" not in value:
            assert result[field] == {**NODE.driver_info, **value}
        else:
            assert result[field] == value


def test_the_last_capability_takes_the_text_with_it() -> None:
    outcome = applied(
        a_rule(do("unset-capability", "a")), node=a_node(properties={"capabilities": "a:b", "cpus": 1})
    )
    assert outcome.node_changes == {"properties": {"cpus": 1}}


def test_traits_are_added_and_taken_away() -> None:
    outcome = applied(
        a_rule(do("add-trait", "CUSTOM_B"), do("remove-trait", "CUSTOM_A"), do("remove-trait", "CUSTOM_X")),
        traits=["CUSTOM_A", "CUSTOM_C"],
    )
    assert outcome.traits == ("CUSTOM_B", "CUSTOM_C")


def test_traits_that_stay_the_same_are_no_change() -> None:
    assert applied(a_rule(do("add-trait", "CUSTOM_A")), traits=["CUSTOM_A"]).traits is None


def test_plugin_data_changes() -> None:
    outcome = applied(
        a_rule(
            do("set-plugin-data", "/a/b", "{inventory[cpu][count]}"),
            do("extend-plugin-data", "/seen", 2),
            do("extend-plugin-data", "/seen", 2, True),
            do("set-plugin-data", "/gone", 1),
            do("unset-plugin-data", "/gone"),
        )
    )
    assert outcome.plugin_data == {"seen": [1, 2], "a": {"b": "8"}}


def test_ports_change_by_address_or_uuid() -> None:
    outcome = applied(
        a_rule(
            do("set-port-attribute", MAC.upper(), "/pxe_enabled", "False"),
            do("extend-port-attribute", PORT.uuid, "/extra/tags", "x"),
            do("set-port-attribute", PORT.uuid, "/physical_network", "a"),
            do("del-port-attribute", PORT.uuid, "/physical_network"),
        )
    )
    assert outcome.port_changes == {PORT.uuid: {"pxe_enabled": False, "extra": {"tags": ["x"]}}}


def test_actions_are_repeated_for_each_item() -> None:
    loop = [
        {"path": "/driver_info/a", "value": "1"},
        {"path": "/driver_info/b", "value": "{inventory[bmc_address]}"},
    ]
    found = changes(do("set-attribute", "{item[path]}", "{item[value]}", loop=loop))
    assert found == {"driver_info": {**NODE.driver_info, "a": "1", "b": "192.0.2.1"}}


def test_messages_and_calls_are_handed_to_the_caller_in_order() -> None:
    outcome = applied(
        a_rule(
            do("log", "on {node.name}"),
            {
                "op": "api-call",
                "args": {"url": "https://x/{node.name}", "timeout": 2, "headers": {"A": "{node.name}"}},
            },
            do("log", "loud", "warning"),
        )
    )
    assert outcome.messages == (Message("info", "on n1"), Message("warning", "loud"))
    assert outcome.calls == (ApiCall("https://x/n1", {"A": "n1"}, {}, timeout_s=2.0, retries=3),)


def test_later_rules_see_what_earlier_ones_changed() -> None:
    first = a_rule(do("set-attribute", "/driver", "redfish"), priority=10)
    second = a_rule(
        do("set-attribute", "/description", "by {node.driver}"),
        uuid="rule-2",
        conditions=({"op": "eq", "args": ["{node.driver}", "redfish"]},),
    )
    outcome = applied(second, first)
    assert outcome.node_changes == {"driver": "redfish", "description": "by redfish"}
    assert outcome.applied == ("rule-1", "rule-2")


def test_a_failing_rule_changes_nothing_and_says_why() -> None:
    outcome = applied(
        a_rule(
            do("set-attribute", "/description", "x"),
            do("log", "about to"),
            do("fail", "{node.name} is too small"),
        )
    )
    assert outcome.failure == "Inspection rule rule-1 failed the inspection: n1 is too small"
    assert outcome.node_changes == {}
    assert outcome.messages == (Message("info", "about to"),)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (do("set-attribute", "{node.name}/x", 1), "can not change 'n1'"),
        (
            do("set-attribute", "/driver_info/redfish_address/x", 1),
            "no object at driver_info/redfish_address",
        ),
        (do("extend-attribute", "/driver_info/redfish_address", 1), "no list"),
        (do("set-attribute", "/maintenance", "perhaps"), "'maintenance' can not have this value"),
        (do("set-attribute", "/properties", 5), "'properties' can not have this value"),
        (do("del-attribute", "/driver"), "'driver' can not be taken away"),
        (do("set-port-attribute", "52:54:00:00:00:09", "/extra/x", 1), "no port '52:54:00:00:00:09'"),
        (do("add-trait", "{node.name}"), "not a trait"),
        (do("log", "x", "{node.name}"), "log level 'n1'"),
        (
            {"op": "api-call", "args": {"url": "https://x", "timeout": "{node.name}"}},
            "'timeout' must be a number",
        ),
        (
            {"op": "api-call", "args": {"url": "https://x", "headers": "{node.name}"}},
            "'headers' must be an object",
        ),
        (do("set-capability", "a{node.name}", "b,c"), "can not be written down"),
    ],
)
def test_what_can_not_be_done_fails_the_inspection_and_names_the_rule(
    action: dict[str, Any], words: str
) -> None:
    check_actions([action])
    outcome = applied(a_rule(action))
    assert outcome.failure is not None
    assert outcome.failure.startswith("Inspection rule rule-1 can not be applied: ")
    assert words in outcome.failure


def test_too_many_traits_fail_the_inspection() -> None:
    action = do("add-trait", "CUSTOM_{item}", loop=[str(number) for number in range(51)])
    assert "at most 50" in str(applied(a_rule(action)).failure)


def test_a_condition_that_can_not_be_judged_fails_the_inspection() -> None:
    rule = a_rule(do("log", "x"), conditions=({"op": "lt", "args": ["{node.name}", 5]},))
    assert "can not be compared" in str(applied(rule).failure)


def test_a_sensitive_rule_tells_nothing() -> None:
    secret = a_rule(
        do("log", "password"), do("set-attribute", "/driver_info/password", "s3cret"), sensitive=True
    )
    outcome = applied(secret)
    assert outcome.messages == ()
    assert outcome.node_changes["driver_info"]["password"] == "s3cret"
    failing = applied(a_rule(do("fail", "s3cret"), sensitive=True))
    assert failing.failure == "Inspection rule rule-1 failed the inspection."


def test_secrets_reach_no_message_but_can_be_used() -> None:
    node = a_node(
        name="n1",
        driver_info={"redfish_password": "s3cret", "redfish_username": "admin"},
        driver_internal_info={"boot_key": "s3cret"},
    )
    text = "{node.driver_info[redfish_username]} {node.driver_info[redfish_password]} {item[token]}"
    rule = a_rule(
        do("log", text, loop=[{"token": "s3cret"}]),
        do("log", "{node.driver_internal_info[boot_key]}"),
        do("log", "{node.driver_info}"),
        do("set-attribute", "/extra/copy", "{node.driver_info[redfish_password]}"),
    )
    outcome = applied(rule, node=node)
    assert outcome.messages[0].text == "admin ****** ******"
    assert not any("s3cret" in message.text for message in outcome.messages)
    assert outcome.node_changes == {"extra": {"copy": "s3cret"}}
    failing = applied(a_rule(do("fail", "{node.driver_info[redfish_password]}")), node=node)
    assert failing.failure == "Inspection rule rule-1 failed the inspection: ******"
