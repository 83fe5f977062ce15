"""Which steps run: the operator's priorities, the user's choice, and what is refused."""

from typing import Any

import pytest

from bessemer.config.settings import ConductorSettings, DeploySettings, Settings
from bessemer.domain.interface import InterfaceType
from bessemer.domain.step import HardwareStep
from bessemer.kernel.error import InvalidValue
from bessemer.workflow.step_choice import (
    check_without_ramdisk,
    chosen,
    clean_priorities,
    overridden,
    read_priorities,
)

ERASE = HardwareStep(interface=InterfaceType.DEPLOY, step="erase_devices", priority=10)
RESET = HardwareStep(interface=InterfaceType.BIOS, step="factory_reset", requires_ramdisk=False)
APPLY = HardwareStep(
    interface=InterfaceType.RAID,
    step="apply_configuration",
    argsinfo={"raid_config": {"required": True}, "delete_existing": {}},
)
OFFERED = (ERASE, RESET, APPLY)


def wish(interface: str, step: str, **more: Any) -> dict[str, Any]:
    return {"interface": interface, "step": step, **more}


def test_the_general_override_goes_before_the_options_of_single_steps() -> None:
    settings = Settings(
        deploy=DeploySettings(erase_devices_priority=5, delete_configuration_priority=7),
        conductor=ConductorSettings(clean_step_priority_override={"deploy.erase_devices": "0"}),
    )
    assert clean_priorities(settings) == {"deploy.erase_devices": 0, "raid.delete_configuration": 7}


@pytest.mark.parametrize("priority", ["", "-1", "high", "1.5"])
def test_an_override_that_is_no_priority_is_refused_by_name(priority: str) -> None:
    with pytest.raises(InvalidValue, match=r"deploy\.erase_devices"):
        read_priorities({"deploy.erase_devices": priority})


def test_only_steps_of_that_interface_are_overridden() -> None:
    found = overridden(OFFERED, {"deploy.erase_devices": 3, "raid.erase_devices": 9})
    assert [step.priority for step in found] == [3, 0, 0]


def test_the_users_order_arguments_and_priority_stand() -> None:
    asked = [
        wish("raid", "apply_configuration", args={"raid_config": {}}, priority=70),
        wish("deploy", "erase_devices"),
    ]
    raid, erase = chosen(OFFERED, asked)
    assert (raid.step.args, raid.step.priority) == ({"raid_config": {}}, 70)
    assert (erase.step, erase.children) == (ERASE, None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (wish("deploy", "polish"), "no step deploy.polish"),
        (wish("raid", "apply_configuration"), "missing: raid_config"),
        (wish("raid", "apply_configuration", args={"raid_config": {}, "x": 1}), "unknown: x"),
        (wish("deploy", "hold", args={"x": 1}), "unknown: x"),
        (wish("deploy", "wait", args={"seconds": -1}), "whole seconds"),
        (wish("deploy", "wait", args={"seconds": True}), "whole seconds"),
        (wish("deploy", "hold", execute_on_child_nodes=True), "cannot be run on child nodes"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        chosen(OFFERED, [asked])
    assert words in str(caught.value)


def test_unknown_steps_may_be_passed_over() -> None:
    asked = [wish("deploy", "polish"), wish("deploy", "erase_devices")]
    assert [one.step.step for one in chosen(OFFERED, asked, unknown_is_ignored=True)] == ["erase_devices"]


def test_without_the_ramdisk_only_steps_that_do_not_need_it_are_chosen() -> None:
    asked = [wish("bios", "factory_reset"), wish("deploy", "reboot"), wish("deploy", "wait")]
    assert len(chosen(OFFERED, asked, has_ramdisk=False)) == 3
    with pytest.raises(InvalidValue, match="needs the ramdisk"):
        chosen(OFFERED, [wish("deploy", "erase_devices")], has_ramdisk=False)


def test_before_the_work_begins_only_the_drivers_own_steps_can_be_judged() -> None:
    check_without_ramdisk(OFFERED, [wish("deploy", "unknown"), wish("bios", "factory_reset")])
    check_without_ramdisk(OFFERED, [wish("deploy", "erase_devices", execute_on_child_nodes=True)])
    with pytest.raises(InvalidValue, match="needs the ramdisk"):
        check_without_ramdisk(OFFERED, [wish("deploy", "erase_devices")])


def test_steps_for_children_are_taken_as_they_are_because_children_have_their_own() -> None:
    only = {"execute_on_child_nodes": True, "limit_child_node_execution": ["a"]}
    (one,) = chosen(OFFERED, [wish("vendor", "whatever", args={"x": 1}, **only)])
    assert (one.children, one.step.args) == (("a",), {"x": 1})
