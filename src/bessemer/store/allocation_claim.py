"""Giving nodes to allocations: choose, claim and record it in one transaction, safe against all others.

A node is claimed by a lock on its row and a second look at whether it still fits. Nodes that others hold at
that moment are passed over, and waited for only when nothing else is left: fifty allocations for ten nodes
get ten different ones, and forty a reason.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from bessemer.domain.allocation import (
    Allocation,
    AllocationState,
    Arrange,
    Candidate,
    check_backfill,
    in_order,
    why_none,
)
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.store.allocation import create_allocation, get_allocation, update_allocation
from bessemer.store.database import Transaction
from bessemer.store.node import get_node, update_node
from bessemer.store.table import NODE_TRAITS, NODES
from bessemer.store.trait import list_traits

_NODE = NODES.c


async def claim_candidate(tx: Transaction, uuid: str, *, arrange: Arrange) -> Allocation:
    """Settle the allocation: active with a node that fits, or in error with the reason why there is none.

    Among the nodes that fit the one with the allocation's name comes first, then they come as ``arrange``
    says. The node's ``instance_uuid`` and ``allocation_uuid`` become the allocation's UUID, and its
    ``instance_info.traits`` the traits asked for. Idempotent: a settled allocation is given back as it is.

    Raises:
        NotFound: There is no such allocation.
    """
    allocation = await get_allocation(tx, uuid, lock=True)
    if allocation.state is not AllocationState.ALLOCATING:
        return allocation
    node = await _claim_any(tx, allocation, arrange)
    if node is None:
        reason = why_none(allocation, await _list_eligible(tx, allocation))
        return await update_allocation(tx, uuid, state=AllocationState.ERROR, last_error=reason)
    await _mark(tx, node, allocation)
    return await update_allocation(
        tx, uuid, state=AllocationState.ACTIVE, node_uuid=node.uuid, last_error=None
    )  # fmt: skip


async def backfill_allocation(tx: Transaction, allocation: Allocation, node_uuid: str) -> Allocation:
    """Store ``allocation`` as the one that holds a node which was deployed without one. Where the node has
    an ``instance_uuid`` the allocation takes it as its UUID.

    Raises:
        NotFound: There is no such node.
        Conflict: The node is not active, has an allocation, or is not what the allocation asks for.
        Duplicate: The allocation's uuid or name is taken.
    """
    node = await get_node(tx, node_uuid, lock=True)
    traits = (await list_traits(tx, [node_uuid]))[node_uuid]
    check_backfill(allocation, node, traits)
    fields = {name: getattr(allocation, name) for name in allocation.__struct_fields__}
    fields |= {
        "uuid": node.instance_uuid or allocation.uuid,
        "resource_class": node.resource_class,
        "node_uuid": node.uuid,
        "state": AllocationState.ACTIVE,
    }
    stored = await create_allocation(tx, Allocation(**fields))
    await update_node(tx, node.uuid, instance_uuid=stored.uuid, allocation_uuid=stored.uuid)
    return stored


async def _claim_any(tx: Transaction, allocation: Allocation, arrange: Arrange) -> Node | None:
    statement = select(_NODE.uuid, _NODE.name).where(*_fits(allocation))
    found = [Candidate(uuid=uuid, name=name) for uuid, name in await tx.execute(statement)]
    for candidate in in_order(allocation, found, arrange):
        if await _lock(tx, allocation, candidate.uuid, is_patient=False):
            return await get_node(tx, candidate.uuid)
    # All are held by others, who may yet give them up. In one order, so that no two wait for each other.
    for candidate in sorted(found, key=lambda one: one.uuid):
        if await _lock(tx, allocation, candidate.uuid, is_patient=True):
            return await get_node(tx, candidate.uuid)
    return None


async def _lock(tx: Transaction, allocation: Allocation, uuid: str, *, is_patient: bool) -> bool:
    """Whether the node is ours until this transaction ends, and still fits."""
    statement: Select[Any] = select(_NODE.uuid).where(_NODE.uuid == uuid, *_fits(allocation))
    row = (await tx.execute(statement.with_for_update(skip_locked=not is_patient))).first()
    return row is not None


async def _mark(tx: Transaction, node: Node, allocation: Allocation) -> None:
    info = dict(node.instance_info)
    if allocation.traits:
        info["traits"] = list(allocation.traits)
    await update_node(
        tx,
        node.uuid,
        instance_uuid=allocation.uuid,
        allocation_uuid=allocation.uuid,
        instance_info=info,
    )


def _is_eligible(allocation: Allocation) -> list[ColumnElement[bool]]:
    """``domain.allocation.is_eligible`` as conditions on nodes."""
    found: list[ColumnElement[bool]] = [_NODE.resource_class == allocation.resource_class]
    if allocation.owner is not None:
        found.append(or_(_NODE.owner == allocation.owner, _NODE.lessee == allocation.owner))
    return found


def _fits(allocation: Allocation) -> list[ColumnElement[bool]]:
    """``domain.allocation.is_candidate`` as conditions on nodes."""
    found = [
        *_is_eligible(allocation),
        _NODE.provision_state == ProvisionState.AVAILABLE.value,
        # Not "is null": SQLite would go by that, through every free node, and not by state and class.
        func.coalesce(_NODE.instance_uuid, "") == "",
        _NODE.allocation_uuid.is_(None),
        _NODE.maintenance.is_(False),
        _NODE.retired.is_(False),
    ]
    if allocation.candidate_nodes:
        found.append(_NODE.uuid.in_(allocation.candidate_nodes))
    if allocation.traits:
        trait = NODE_TRAITS.c
        has_all = (
            select(trait.node_uuid)
            .where(trait.trait.in_(allocation.traits))
            .group_by(trait.node_uuid)
            .having(func.count() == len(set(allocation.traits)))
        )
        found.append(_NODE.uuid.in_(has_all))
    return found


_SEEN = (
    "uuid", "name", "resource_class", "provision_state", "instance_uuid", "allocation_uuid", "maintenance",
    "retired", "owner", "lessee",
)  # fmt: skip


async def _list_eligible(tx: Transaction, allocation: Allocation) -> list[Candidate]:
    """Every eligible node, with those traits that are asked for: to explain why none fits."""
    eligible = _is_eligible(allocation)
    traits: dict[str, set[str]] = {}
    if allocation.traits:
        trait = NODE_TRAITS.c
        of_eligible = trait.node_uuid.in_(select(_NODE.uuid).where(*eligible))
        statement = select(trait.node_uuid, trait.trait).where(
            of_eligible, trait.trait.in_(allocation.traits)
        )  # fmt: skip
        for uuid, name in await tx.execute(statement):
            traits.setdefault(uuid, set()).add(name)
    rows = await tx.execute(select(*(_NODE[name] for name in _SEEN)).where(*eligible))
    return [_candidate(dict(zip(_SEEN, row, strict=True)), traits) for row in rows]


def _candidate(values: dict[str, Any], traits: dict[str, set[str]]) -> Candidate:
    values["provision_state"] = ProvisionState(values["provision_state"])
    return Candidate(**values, traits=frozenset(traits.get(values["uuid"], ())))
