from typing import Any

import pytest

from bessemer.domain.runbook import (
    Runbook,
    check_name,
    check_owner,
    check_use,
    effective_traits,
    requested_steps,
)
from bessemer.domain.step_request import check_clean_steps
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import new_uuid
from fakes.store import a_node


def a_runbook(**fields: Any) -> Runbook:
    return Runbook(**{"uuid": new_uuid(), "name": "CUSTOM_UPDATE", "created_at": "", **fields})


@pytest.mark.parametrize("name", ["update", "a.b_c~d-e", "CUSTOM_X", "7", "x" * 255])
def test_names_are_free_for_clients_that_know_traits(name: str) -> None:
    check_name(name, is_trait_wanted=False)


@pytest.mark.parametrize(
    "name", ["", "with space", "ü", "a/b", "x" * 256, "5c01e25a-5c1f-4a54-a1a4-4b5ac4dd0a8e"]
)
def test_names_that_could_not_be_addressed_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="name of a runbook"):
        check_name(name, is_trait_wanted=False)


def test_names_are_traits_for_older_clients() -> None:
    check_name("CUSTOM_X", is_trait_wanted=True)
    with pytest.raises(InvalidValue, match="trait"):
        check_name("update", is_trait_wanted=True)


def test_a_public_runbook_has_no_owner() -> None:
    check_owner(is_public=True, owner=None)
    check_owner(is_public=False, owner="p")
    with pytest.raises(InvalidValue, match="either public or"):
        check_owner(is_public=True, owner="p")


def test_a_runbook_with_traits_is_matched_by_them_and_not_by_its_name() -> None:
    assert effective_traits(a_runbook(), ["CUSTOM_A"]) == {"CUSTOM_A"}
    assert effective_traits(a_runbook(), []) == {"CUSTOM_UPDATE"}


def test_a_runbook_and_its_node_share_a_trait() -> None:
    node = a_node(name="n1")
    check_use(a_runbook(), ["CUSTOM_A", "CUSTOM_B"], node, ["CUSTOM_B", "CUSTOM_C"])
    check_use(a_runbook(), [], node, ["CUSTOM_UPDATE"])
    with pytest.raises(InvalidValue, match=r"share no trait.*CUSTOM_A"):
        check_use(a_runbook(), ["CUSTOM_A"], node, ["CUSTOM_UPDATE"])


def test_an_owned_runbook_is_for_nodes_its_owner_owns_or_leases() -> None:
    runbook = a_runbook(owner="p")
    traits = ["CUSTOM_UPDATE"]
    check_use(runbook, [], a_node(owner="p"), traits)
    check_use(runbook, [], a_node(lessee="p", owner="q"), traits)
    with pytest.raises(InvalidValue, match="neither owns nor leases"):
        check_use(runbook, [], a_node(owner="q"), traits)


def test_steps_are_requested_by_rising_order_in_the_form_of_a_request() -> None:
    steps = tuple(
        {"interface": "bios", "step": name, "args": {"n": order}, "order": order}
        for name, order in (("second", 2), ("tenth", 10), ("first", 1))
    )
    found = requested_steps(a_runbook(steps=steps))
    assert [step["step"] for step in found] == ["first", "second", "tenth"]
    assert check_clean_steps(found) == found
