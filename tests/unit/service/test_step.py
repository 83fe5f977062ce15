"""The form of steps that users name."""

from typing import Any

import pytest

from bessemer.kernel.error import InvalidValue
from bessemer.service.step import check_clean_steps, check_deploy_steps, check_service_steps

CLEAN = {"interface": "deploy", "step": "erase_devices"}
DEPLOY = {"interface": "raid", "step": "apply_configuration", "args": {"a": 1}, "priority": 90}


def test_clean_steps_keep_what_is_needed_to_run_them() -> None:
    given = [{**CLEAN, "args": {"x": 1}, "order": 3, "execute_on_child_nodes": False}]
    assert check_clean_steps(given) == [{**CLEAN, "args": {"x": 1}}]


def test_service_steps_may_be_of_the_network_interface_and_clean_steps_not() -> None:
    steps = [{"interface": "network", "step": "x"}]
    assert check_service_steps(steps) == steps
    with pytest.raises(InvalidValue):
        check_clean_steps(steps)


@pytest.mark.parametrize(
    "steps",
    [
        None, [], {}, "x", ["x"], [{}], [{"step": "x"}], [{"interface": "deploy"}],
        [{**CLEAN, "priority": 1}], [{**CLEAN, "interface": "boot"}], [{**CLEAN, "interface": []}],
        [{**CLEAN, "step": ""}], [{**CLEAN, "step": 5}], [{**CLEAN, "args": []}],
        [{**CLEAN, "execute_on_child_nodes": True}], [{"interface": "vendor", "step": "send_raw"}],
        [CLEAN] * 501,
    ],
)  # fmt: skip
def test_clean_steps_of_another_form_are_refused(steps: Any) -> None:
    with pytest.raises(InvalidValue):
        check_clean_steps(steps)


def test_deploy_steps_say_everything() -> None:
    assert check_deploy_steps([DEPLOY]) == [DEPLOY]
    assert check_deploy_steps([]) == []


@pytest.mark.parametrize(
    "steps",
    [
        [{**DEPLOY, "priority": -1}], [{**DEPLOY, "priority": True}], [{**DEPLOY, "priority": "90"}],
        [{key: value for key, value in DEPLOY.items() if key != "args"}], [DEPLOY, DEPLOY],
        [{**DEPLOY, "interface": "deploy", "step": "deploy"}], [{**DEPLOY, "order": 1}],
    ],
)  # fmt: skip
def test_deploy_steps_of_another_form_are_refused(steps: Any) -> None:
    with pytest.raises(InvalidValue):
        check_deploy_steps(steps)


def test_the_core_step_can_only_be_disabled() -> None:
    steps = [{"interface": "deploy", "step": "deploy", "args": {}, "priority": 0}]
    assert check_deploy_steps(steps) == steps
