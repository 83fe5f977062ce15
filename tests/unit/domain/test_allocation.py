import random
import re
from typing import Any

import pytest

from bessemer.domain.allocation import (
    Allocation,
    Candidate,
    at_random,
    by_name,
    check_backfill,
    check_delete,
    in_order,
    is_candidate,
    why_none,
)
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import Conflict
from bessemer.kernel.ident import new_uuid
from fakes.store import a_node


def an_allocation(**fields: Any) -> Allocation:
    return Allocation(**{"uuid": new_uuid(), "created_at": "", "resource_class": "gold", **fields})


def a_candidate(**fields: Any) -> Candidate:
    return Candidate(**{"uuid": new_uuid(), "resource_class": "gold", **fields})


MISFITS = [
    {"resource_class": "silver"},
    {"resource_class": None},
    {"provision_state": ProvisionState.MANAGEABLE},
    {"instance_uuid": new_uuid()},
    {"allocation_uuid": new_uuid()},
    {"maintenance": True},
    {"retired": True},
]


def test_a_free_available_node_of_the_class_is_a_candidate() -> None:
    assert is_candidate(an_allocation(), a_candidate())


@pytest.mark.parametrize("fields", MISFITS, ids=lambda fields: next(iter(fields)))
def test_a_node_that_is_not_free_is_no_candidate(fields: dict[str, Any]) -> None:
    assert not is_candidate(an_allocation(), a_candidate(**fields))


def test_a_candidate_has_all_the_traits() -> None:
    allocation = an_allocation(traits=("CUSTOM_A", "CUSTOM_B"))
    assert is_candidate(allocation, a_candidate(traits=frozenset({"CUSTOM_A", "CUSTOM_B", "CUSTOM_C"})))
    assert not is_candidate(allocation, a_candidate(traits=frozenset({"CUSTOM_A"})))


def test_named_candidates_exclude_all_others() -> None:
    node, other = a_candidate(), a_candidate()
    allocation = an_allocation(candidate_nodes=(node.uuid,))
    assert is_candidate(allocation, node)
    assert not is_candidate(allocation, other)


def test_a_project_gets_what_it_owns_or_leases() -> None:
    allocation = an_allocation(owner="p")
    assert is_candidate(allocation, a_candidate(owner="p"))
    assert is_candidate(allocation, a_candidate(owner="q", lessee="p"))
    assert not is_candidate(allocation, a_candidate(owner="q"))
    assert not is_candidate(allocation, a_candidate())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([], "No node has the resource class 'gold'"),
        ([{"resource_class": "silver"}], "No node has the resource class 'gold'"),
        (
            [{"provision_state": ProvisionState.ACTIVE}, {"resource_class": "silver"}],
            "Of 1 .* state 'available'",
        ),
        ([{"instance_uuid": new_uuid()}], "free of an instance"),
        ([{"maintenance": True}, {"maintenance": True, "retired": True}], "Of 2 .* not in maintenance"),
        ([{"retired": True}], "retired"),
        ([{}, {}], "Of 2 .* traits CUSTOM_A"),
    ],
)  # fmt: skip
def test_a_failure_names_the_first_thing_no_node_fulfils(fields: list[dict[str, Any]], words: str) -> None:
    reason = why_none(an_allocation(traits=("CUSTOM_A",)), [a_candidate(**one) for one in fields])
    assert reason == reason.strip()
    assert re.search(words, reason), reason


def test_nodes_of_other_projects_are_not_spoken_of() -> None:
    reason = why_none(an_allocation(owner="p"), [a_candidate(), a_candidate(owner="q")])
    assert reason == "No node has the resource class 'gold' and is owned or leased by project p."


def test_when_every_fitting_node_went_to_others_the_failure_says_so() -> None:
    assert "taken by others" in why_none(an_allocation(), [a_candidate()])


def test_the_node_of_the_same_name_comes_first_and_the_rest_as_arranged() -> None:
    nodes = [a_candidate(name=name) for name in ("c", "a", "b")]
    tried = in_order(an_allocation(name="b"), nodes, by_name)
    assert [node.name for node in tried] == ["b", "a", "c"]
    tried = in_order(an_allocation(), [*nodes, a_candidate()], by_name)
    assert [node.name for node in tried] == ["a", "b", "c", None]


def test_a_random_order_holds_every_node_and_gives_each_its_turn() -> None:
    nodes = [a_candidate(name=str(number)) for number in range(5)]
    arrange = at_random(random.Random(7))
    orders = [arrange(nodes) for _ in range(500)]
    assert all(
        sorted(order, key=lambda node: node.uuid) == sorted(nodes, key=lambda n: n.uuid) for order in orders
    )
    firsts = [order[0].name for order in orders]
    assert all(60 < firsts.count(node.name) < 140 for node in nodes)


ACTIVE = {"provision_state": ProvisionState.ACTIVE, "resource_class": "gold", "owner": "p"}


def test_an_active_node_can_be_given_an_allocation_afterwards() -> None:
    node = a_node(**ACTIVE)
    check_backfill(an_allocation(), node, [])
    check_backfill(an_allocation(resource_class=None), node, [])
    check_backfill(
        an_allocation(traits=("CUSTOM_A",), candidate_nodes=(node.uuid,), owner="p"), node, ["CUSTOM_A"]
    )


@pytest.mark.parametrize(
    ("node", "allocation", "words"),
    [
        ({"provision_state": ProvisionState.AVAILABLE}, {}, "not active"),
        ({"allocation_uuid": new_uuid()}, {}, "already has allocation"),
        ({}, {"resource_class": "silver"}, "resource class"),
        ({}, {"candidate_nodes": (new_uuid(),)}, "candidate nodes"),
        ({}, {"owner": "q"}, "neither owned nor leased"),
        ({}, {"traits": ("CUSTOM_A",)}, "CUSTOM_A"),
    ],
)
def test_a_backfill_that_does_not_fit_is_refused(
    node: dict[str, Any], allocation: dict[str, Any], words: str
) -> None:
    with pytest.raises(Conflict, match=words):
        check_backfill(an_allocation(**allocation), a_node(**{**ACTIVE, **node}), [])


@pytest.mark.parametrize(
    "state", [ProvisionState.ACTIVE, ProvisionState.DEPLOYING, ProvisionState.CLEAN_WAIT]
)
def test_an_allocation_in_use_is_kept_unless_the_node_is_in_maintenance(state: ProvisionState) -> None:
    with pytest.raises(Conflict, match="needs its allocation"):
        check_delete(a_node(provision_state=state))
    check_delete(a_node(provision_state=state, maintenance=True))


@pytest.mark.parametrize(
    "state", [ProvisionState.AVAILABLE, ProvisionState.DEPLOY_FAILED, ProvisionState.ERROR]
)
def test_an_allocation_that_is_not_in_use_may_go(state: ProvisionState) -> None:
    check_delete(a_node(provision_state=state))
