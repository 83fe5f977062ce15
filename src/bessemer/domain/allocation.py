"""Allocations: a request for any node that fits, and the node it was given."""

import random
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from bessemer.domain.node import Node, label
from bessemer.domain.provision import KINDS, ProvisionState, StateKind
from bessemer.domain.trait import missing_traits
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import Conflict

JsonObject = dict[str, Any]


class AllocationState(StrEnum):
    ALLOCATING = "allocating"
    ACTIVE = "active"
    ERROR = "error"


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of an allocation. Field names and meanings are those of the v1 API.

    Its UUID becomes the ``instance_uuid`` of the node it is given.
    """

    uuid: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    name: str | None = None
    #: None only for a backfill, where the node is named.
    resource_class: str | None = None
    traits: tuple[str, ...] = ()
    #: UUIDs; empty: any node.
    candidate_nodes: tuple[str, ...] = ()
    node_uuid: str | None = None
    state: AllocationState = AllocationState.ALLOCATING
    last_error: str | None = None
    extra: JsonObject = {}
    #: A project: only nodes it owns or leases come into question. None: every node.
    owner: str | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What of a node decides whether it can be allocated."""

    uuid: str
    name: str | None = None
    resource_class: str | None = None
    provision_state: ProvisionState = ProvisionState.AVAILABLE
    instance_uuid: str | None = None
    allocation_uuid: str | None = None
    maintenance: bool = False
    retired: bool = False
    owner: str | None = None
    lessee: str | None = None
    traits: frozenset[str] = frozenset()


#: Puts nodes that are equally good into the order in which they are tried.
Arrange = Callable[[Sequence[Candidate]], Sequence[Candidate]]

_Test = Callable[[Allocation, Candidate], bool]

#: What a node must fulfil, in the order in which a failure is explained.
_CRITERIA: tuple[tuple[str, _Test], ...] = (
    ("is among the candidate nodes", lambda a, n: not a.candidate_nodes or n.uuid in a.candidate_nodes),
    ("is in state 'available'", lambda _, n: n.provision_state is ProvisionState.AVAILABLE),
    ("is free of an instance", lambda _, n: n.instance_uuid is None and n.allocation_uuid is None),
    ("is not in maintenance", lambda _, n: not n.maintenance),
    ("is not retired", lambda _, n: not n.retired),
    ("has the traits", lambda a, n: n.traits.issuperset(a.traits)),
)  # fmt: skip


def is_eligible(allocation: Allocation, node: Candidate) -> bool:
    """Whether the node is of the class asked for, and the allocation's project may have it."""
    is_allowed = allocation.owner is None or allocation.owner in (node.owner, node.lessee)
    return is_allowed and node.resource_class == allocation.resource_class


def is_candidate(allocation: Allocation, node: Candidate) -> bool:
    """Whether the allocation may be given this node. Source: v1 contract, allocations."""
    return is_eligible(allocation, node) and all(test(allocation, node) for _, test in _CRITERIA)


def why_none(allocation: Allocation, nodes: Iterable[Candidate]) -> str:
    """What to tell the user when none of ``nodes`` is a candidate: the first criterion that the nodes which
    met all before it failed, and how many those were. Nodes that are not eligible are not spoken of."""
    left = [node for node in nodes if is_eligible(allocation, node)]
    met = f"the resource class '{allocation.resource_class}'"
    if allocation.owner is not None:
        met += f" and is owned or leased by project {allocation.owner}"
    if not left:
        return f"No node has {met}."
    met = f"has {met}"
    for wording, test in _CRITERIA:
        passed = [node for node in left if test(allocation, node)]
        if not passed:
            traits = f" {', '.join(allocation.traits)}" if wording == "has the traits" else ""
            return f"Of {len(left)} nodes, each of which {met}, none {wording}{traits}."
        left, met = passed, wording
    return "Every node that fits was taken by others at the same moment; try again."


def at_random(rng: random.Random) -> Arrange:
    """Every order is equally likely: work and wear spread over all nodes."""

    def arrange(nodes: Sequence[Candidate]) -> Sequence[Candidate]:
        return rng.sample(nodes, len(nodes))

    return arrange


def by_name(nodes: Sequence[Candidate]) -> Sequence[Candidate]:
    """In order of name, nodes without one last."""
    return sorted(nodes, key=lambda node: (node.name is None, node.name or "", node.uuid))


def in_order(allocation: Allocation, nodes: Sequence[Candidate], arrange: Arrange) -> list[Candidate]:
    """The order in which to try ``nodes``: one that has the allocation's own name first, then as arranged.

    Source: v1 contract, microversion 1.79.
    """
    arranged = arrange(nodes)
    return sorted(arranged, key=lambda node: allocation.name is None or node.name != allocation.name)


def check_backfill(allocation: Allocation, node: Node, traits: Iterable[str]) -> None:
    """Whether an allocation may be recorded for a node that was deployed without one.

    Raises:
        Conflict: The node is not active, has an allocation, or is not what the allocation asks for.

    Source: v1 contract, allocations: POST with ``node``.
    """
    name = label(node)
    if node.allocation_uuid is not None:
        raise Conflict(f"Node '{name}' already has allocation {node.allocation_uuid}.")
    if node.provision_state is not ProvisionState.ACTIVE:
        raise Conflict(f"Node '{name}' is in state '{node.provision_state}', not active.")
    if allocation.resource_class not in (None, node.resource_class):
        raise Conflict(
            f"Node '{name}' has resource class '{node.resource_class}', not '{allocation.resource_class}'."
        )
    if allocation.candidate_nodes and node.uuid not in allocation.candidate_nodes:
        raise Conflict(f"Node '{name}' is not among the candidate nodes.")
    if allocation.owner is not None and allocation.owner not in (node.owner, node.lessee):
        raise Conflict(f"Node '{name}' is neither owned nor leased by the allocation's project.")
    missing = missing_traits(allocation.traits, frozenset(traits))
    if missing:
        raise Conflict(f"Node '{name}' lacks the traits {', '.join(missing)}.")


def check_delete(node: Node) -> None:
    """Whether the allocation of ``node`` may be deleted, which takes the instance off it. Raises Conflict.

    Source: v1 contract, states: blocked_operations.allocation_delete.
    """
    if node.maintenance:
        return
    is_passing = KINDS[node.provision_state] not in (StateKind.STABLE, StateKind.FAILED)
    if node.provision_state is ProvisionState.ACTIVE or is_passing:
        raise Conflict(
            f"Node '{label(node)}' in state '{node.provision_state}' needs its allocation.",
            hint="Undeploy the node, or put it into maintenance.",
        )
