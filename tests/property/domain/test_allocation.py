"""Allocation: whatever the nodes, the one that is tried first fits, and a failure is explained."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bessemer.domain.allocation import Allocation, Candidate, at_random, in_order, is_candidate, why_none
from bessemer.domain.provision import ProvisionState

NAMES = st.sampled_from(["a", "b", "c", None])
PROJECTS = st.sampled_from(["p", "q", None])
CLASSES = st.sampled_from(["gold", "silver", None])
TRAITS = st.sets(st.sampled_from(["CUSTOM_A", "CUSTOM_B", "CUSTOM_C"]))

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        uuid=st.uuids().map(str),
        name=NAMES,
        resource_class=CLASSES,
        provision_state=st.sampled_from([ProvisionState.AVAILABLE, ProvisionState.ACTIVE]),
        instance_uuid=st.one_of(st.none(), st.just("i")),
        allocation_uuid=st.one_of(st.none(), st.just("a")),
        maintenance=st.booleans(),
        retired=st.booleans(),
        owner=PROJECTS,
        lessee=PROJECTS,
        traits=TRAITS.map(frozenset),
    ),
    max_size=12,
)
ALLOCATIONS = st.builds(
    Allocation,
    uuid=st.uuids().map(str),
    created_at=st.just(""),
    name=NAMES,
    resource_class=CLASSES,
    traits=TRAITS.map(sorted).map(tuple),
    owner=PROJECTS,
)


@given(ALLOCATIONS, CANDIDATES)
def test_a_candidate_is_free_of_the_class_and_has_the_traits(
    allocation: Allocation, nodes: list[Candidate]
) -> None:
    for node in nodes:
        if is_candidate(allocation, node):
            assert node.resource_class == allocation.resource_class
            assert node.traits >= set(allocation.traits)
            assert node.instance_uuid is None
            assert allocation.owner in (None, node.owner, node.lessee)


@given(ALLOCATIONS, CANDIDATES)
def test_there_is_a_reason_other_than_bad_luck_exactly_when_no_node_fits(
    allocation: Allocation, nodes: list[Candidate]
) -> None:
    reason = why_none(allocation, nodes)
    assert reason
    assert ("taken by others" in reason) == any(is_candidate(allocation, node) for node in nodes)


@given(ALLOCATIONS, CANDIDATES, st.integers())
def test_every_node_is_tried_once_and_namesakes_first(
    allocation: Allocation, nodes: list[Candidate], seed: int
) -> None:
    tried = in_order(allocation, nodes, at_random(random.Random(seed)))
    assert sorted(node.uuid for node in tried) == sorted(node.uuid for node in nodes)
    is_namesake = [allocation.name is not None and node.name == allocation.name for node in tried]
    assert is_namesake == sorted(is_namesake, reverse=True)
