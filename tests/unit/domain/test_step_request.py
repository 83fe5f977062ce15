from collections.abc import Callable
from typing import Any

import pytest

from bessemer.domain.step_request import (
    MOST_STEPS,
    check_clean_steps,
    check_deploy_steps,
    check_runbook_steps,
    check_service_steps,
    check_template_steps,
)
from bessemer.kernel.error import InvalidValue

Check = Callable[..., list[dict[str, Any]]]

ORDERED = [check_clean_steps, check_service_steps]
BY_PRIORITY = [check_deploy_steps, check_template_steps]
EVERY = [*ORDERED, *BY_PRIORITY, check_runbook_steps]

BARE = {"interface": "bios", "step": "factory_reset"}
WITH_PRIORITY = {**BARE, "args": {}, "priority": 150}
WITH_ORDER = {**BARE, "args": {"a": 1}, "order": 1}


def whole(check: Check) -> dict[str, Any]:
    """A step that ``check`` accepts."""
    if check in ORDERED:
        return dict(BARE)
    return dict(WITH_ORDER if check is check_runbook_steps else WITH_PRIORITY)


@pytest.mark.parametrize("check", EVERY)
def test_a_step_of_the_right_form_is_given_back_as_it_is(check: Check) -> None:
    assert check([whole(check)]) == [whole(check)]


@pytest.mark.parametrize("check", ORDERED)
def test_ordered_steps_may_say_more(check: Check) -> None:
    step = {
        **BARE,
        "args": {"x": [1]},
        "order": 3,
        "execute_on_child_nodes": True,
        "limit_child_node_execution": ["node-1"],
    }
    assert check([step, step]) == [step, step]


@pytest.mark.parametrize("check", EVERY)
@pytest.mark.parametrize("steps", [None, {}, "steps", [], [5], [None], [whole(check_deploy_steps)] * 501])
def test_what_is_no_list_of_steps_is_refused(check: Check, steps: object) -> None:
    with pytest.raises(InvalidValue, match="steps"):
        check(steps)


@pytest.mark.parametrize("check", EVERY)
def test_every_required_member_is_required(check: Check) -> None:
    for name in whole(check):
        step = whole(check)
        del step[name]
        with pytest.raises(InvalidValue, match=f"lacks '{name}'"):
            check([step])


@pytest.mark.parametrize(
    ("check", "name"),
    [
        *((check, "priority") for check in (*ORDERED, check_runbook_steps)),
        *((check, "order") for check in BY_PRIORITY),
        *((check, "execute_on_child_nodes") for check in (*BY_PRIORITY, check_runbook_steps)),
        *((check, "colour") for check in EVERY),
    ],
)
def test_members_that_belong_elsewhere_are_refused(check: Check, name: str) -> None:
    with pytest.raises(InvalidValue, match=f"has no '{name}'"):
        check([{**whole(check), name: 1}])


@pytest.mark.parametrize("check", EVERY)
@pytest.mark.parametrize(
    ("name", "value"),
    [("interface", "boot"), ("interface", ["bios"]), ("interface", None), ("step", ""), ("step", 5),
     ("args", []), ("args", None)],
)  # fmt: skip
def test_wrong_values_are_refused_by_name_and_place(check: Check, name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=rf"steps\[0\]\.{name}"):
        check([{**whole(check), name: value}])


@pytest.mark.parametrize("value", [-1, True, "1", 1.5, None])
def test_priorities_and_orders_are_whole_numbers(value: object) -> None:
    with pytest.raises(InvalidValue, match="priority"):
        check_deploy_steps([{**WITH_PRIORITY, "priority": value}])
    with pytest.raises(InvalidValue, match="order"):
        check_runbook_steps([{**WITH_ORDER, "order": value}])


@pytest.mark.parametrize(
    ("name", "value"),
    [("execute_on_child_nodes", "yes"), ("limit_child_node_execution", "n"),
     ("limit_child_node_execution", [""])],
)  # fmt: skip
def test_wrong_child_node_members_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=name):
        check_clean_steps([{**BARE, name: value}])


@pytest.mark.parametrize("check", EVERY)
def test_network_steps_are_for_servicing_and_runbooks(check: Check) -> None:
    step = {**whole(check), "interface": "network"}
    if check in (check_service_steps, check_runbook_steps):
        assert check([step]) == [step]
    else:
        with pytest.raises(InvalidValue, match="interface"):
            check([step])


@pytest.mark.parametrize("check", EVERY)
def test_disallowed_steps_are_refused_unless_the_operator_says_otherwise(check: Check) -> None:
    step = {**whole(check), "interface": "vendor", "step": "send_raw"}
    with pytest.raises(InvalidValue, match=r"vendor\.send_raw"):
        check([step])
    assert check([step], disallowed=()) == [step]


@pytest.mark.parametrize("check", [*BY_PRIORITY, check_runbook_steps])
def test_a_step_named_twice_is_refused_where_it_would_be_ambiguous(check: Check) -> None:
    with pytest.raises(InvalidValue, match=r"bios\.factory_reset twice"):
        check([whole(check), {**whole(check), "args": {"other": True}}])


@pytest.mark.parametrize("check", BY_PRIORITY)
def test_the_core_step_can_only_be_switched_off(check: Check) -> None:
    core = {"interface": "deploy", "step": "deploy", "args": {}, "priority": 0}
    assert check([core]) == [core]
    with pytest.raises(InvalidValue, match=r"deploy\.deploy"):
        check([{**core, "priority": 50}])


def test_the_most_steps_are_still_accepted() -> None:
    assert len(check_clean_steps([BARE] * MOST_STEPS)) == MOST_STEPS
