from typing import Any

import pytest

from bessemer.domain.deploy_template import DeployTemplate, chosen_steps, matching
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import new_uuid


def step(name: str, priority: int = 10) -> dict[str, Any]:
    return {"interface": "bios", "step": name, "args": {}, "priority": priority}


def template(name: str, *steps: dict[str, Any]) -> DeployTemplate:
    return DeployTemplate(uuid=new_uuid(), name=name, created_at="", steps=steps)


def test_templates_whose_name_the_instance_asks_for_match_in_order_of_name() -> None:
    a, b, c = template("CUSTOM_A"), template("CUSTOM_B"), template("CUSTOM_C")
    assert matching([c, b, a], {"CUSTOM_A", "CUSTOM_C", "CUSTOM_X"}) == [a, c]


def test_without_traits_no_template_matches() -> None:
    assert matching([template("CUSTOM_A")], ()) == []


def test_steps_of_all_templates_and_of_the_request_are_wanted() -> None:
    templates = [template("CUSTOM_A", step("a"), step("b")), template("CUSTOM_C", step("c"))]
    assert chosen_steps(templates, [step("d")]) == [step("a"), step("b"), step("c"), step("d")]


def test_a_requested_step_stands_in_for_that_of_a_template() -> None:
    assert chosen_steps([template("CUSTOM_A", step("a", 10))], [step("a", 0)]) == [step("a", 0)]


def test_a_step_in_two_templates_is_refused_whatever_its_arguments() -> None:
    templates = [template("CUSTOM_A", step("a", 1)), template("CUSTOM_B", step("a", 2))]
    with pytest.raises(InvalidValue, match=r"CUSTOM_A and CUSTOM_B both have the step bios\.a"):
        chosen_steps(templates, [])
