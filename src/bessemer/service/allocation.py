"""Allocations: ask for a node that fits, look at what was given, give it back.

Asking only records the wish; ``allocator`` grants it right after. A caller who acts for a project asks in
its name, and knows of no other project's allocations. Source: v1 contract, allocations and access rules.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bessemer.domain.allocation import Allocation, check_delete
from bessemer.domain.node import Node
from bessemer.domain.trait import check_node_traits, check_traits
from bessemer.kernel.error import InvalidValue, NotFound, Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.service.allocator import Allocator
from bessemer.service.audit import concealed
from bessemer.service.caller import Caller
from bessemer.service.conductor import ConductorService
from bessemer.service.node_access import SEE as SEE_NODE
from bessemer.service.node_access import NodeAccess
from bessemer.service.target import of_allocation
from bessemer.store.allocation import (
    AllocationFilter,
    create_allocation,
    delete_allocation,
    find_allocation,
    find_allocation_of,
    get_allocation,
    list_allocation_rows,
    update_allocation,
)
from bessemer.store.allocation_claim import backfill_allocation
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.node import find_node
from bessemer.store.page import Page
from bessemer.store.record import storable

Edit = Callable[[Allocation], Mapping[str, Any]]

#: Of one allocation: each is looked up, and statements take only so many parameters.
MOST_CANDIDATES = 1000

#: Whoever fails it knows of no allocation.
SEE = "baremetal:allocation:get"
#: Needed besides the right to create one, in the name of others.
CREATE_RESTRICTED = "baremetal:allocation:create_restricted"
#: Needed as well while the defaults of before scopes are in force.
CREATE_PRE_RBAC = "baremetal:allocation:create_pre_rbac"


class AllocationService:
    def __init__(self, access: NodeAccess, conductors: ConductorService, allocator: Allocator) -> None:
        self._access = access
        self._database = access.database
        self._conductors = conductors
        self._allocator = allocator

    async def get(self, caller: Caller, ident: str) -> Allocation:
        """By UUID or name. Raises NotFound, also for one that the caller may not see; or Forbidden."""
        async with self._database.read() as tx:
            return await _find(tx, caller, ident)

    async def get_of_node(self, caller: Caller, ident: str) -> Allocation:
        """The one that holds this node. Raises NotFound (no node, or not allocated) or Forbidden."""
        async with self._database.read() as tx:
            return await self._find_of_node(tx, caller, ident)

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], filters: AllocationFilter, page: Page
    ) -> list[AnyRow]:
        """Columns as the database has them, of what the caller may see.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller, or another project's are asked for.
        """
        owner = caller.limit(filters.owner)
        allowed = AllocationFilter(
            node_uuid=filters.node_uuid,
            resource_class=filters.resource_class,
            state=filters.state,
            owner=owner,
        )
        async with self._database.read() as tx:
            return await list_allocation_rows(tx, columns, allowed, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> Allocation:
        """Ask for a node; or, with ``node``, record that this one is taken already.

        Raises:
            InvalidValue: Neither a resource class nor a node, no traits or more than a node may have, too
                many candidates, or nodes that do not exist.
            Forbidden: Not for the caller, or not in the name of another project.
            Conflict: The node named is not active, is allocated, or is not what is asked for.
            Duplicate: uuid or name is taken.
            Unavailable: No conductor is alive.
        """
        found = dict(values)
        node = found.pop("node", None)
        if not node and not found.get("resource_class"):
            raise InvalidValue("An allocation needs a resource class, or the node it is recorded for.")
        found["owner"] = _owner(caller, found.get("owner"))
        found["traits"] = tuple(check_traits(found.get("traits", ())))
        check_node_traits(found["traits"])
        wanted = found.get("candidate_nodes", ())
        if len(wanted) > MOST_CANDIDATES:
            raise InvalidValue(f"At most {MOST_CANDIDATES} nodes may be candidates, not {len(wanted)}.")
        if not (await self._conductors.landscape()).conductors:
            raise Unavailable("No conductor is alive.", hint="Try again when one has started.")
        async with self._database.write() as tx:
            found["candidate_nodes"] = tuple(
                [await _node_uuid(tx, ident, found["owner"]) for ident in wanted]
            )
            uuid = found.pop("uuid", None) or new_uuid()
            allocation = Allocation(uuid=uuid, created_at=tx.now(), **found)
            if node:
                node_uuid = await _node_uuid(tx, node, found["owner"])
                return await backfill_allocation(tx, allocation, node_uuid)
            tx.after_commit(self._allocator.wake)
            return await create_allocation(tx, allocation)

    async def update(self, caller: Caller, ident: str, edit: Edit) -> Allocation:
        """``edit`` works out new values from the present ones. Raises NotFound, Forbidden or Duplicate."""
        async with self._database.write() as tx:
            found = await _find(tx, caller, ident)
            allocation = await get_allocation(tx, found.uuid, lock=True)
            return await update_allocation(tx, allocation.uuid, **edit(allocation))

    async def delete(self, caller: Caller, ident: str) -> None:
        """Give the node back, if there is one, and forget the allocation.

        Raises:
            NotFound: No such allocation.
            Forbidden: It is not the caller's to end.
            NodeLocked: An operation is at work on the node.
            Conflict: The node is active or on its way somewhere, and not in maintenance.
        """
        allocation = await self.get(caller, ident)
        if allocation.node_uuid is None:
            async with self._database.write() as tx:
                allocation = await get_allocation(tx, allocation.uuid, lock=True)
                if allocation.node_uuid is None:
                    await delete_allocation(tx, allocation.uuid)
                    return
        await self._give_back(caller, allocation)

    async def delete_of_node(self, caller: Caller, ident: str) -> None:
        """As ``delete``, for the allocation that holds this node. Raises NotFound also when none does."""
        await self._give_back(caller, await self.get_of_node(caller, ident))

    # ------------------------------------------------------------------ inside

    async def _give_back(self, caller: Caller, allocation: Allocation) -> None:
        async def work(tx: Transaction, node: Node) -> None:
            check_delete(node)
            await delete_allocation(tx, allocation.uuid)

        # The right to end an allocation is not a right on the node.
        await self._access.change(caller.cleared(), str(allocation.node_uuid), work)

    async def _find_of_node(self, tx: Transaction, caller: Caller, ident: str) -> Allocation:
        node = await self._access.find(tx, caller.asking(SEE_NODE), ident)
        allocation = await find_allocation_of(tx, node.uuid)
        return _admitted(caller, allocation, NotFound(f"Node {ident} has no allocation."))


def _owner(caller: Caller, wanted: str | None) -> str | None:
    """In whose name the caller asks: a project in its own, others in nobody's or in that of whom they name.

    Raises:
        Forbidden: The caller may not ask, or not in the name of ``wanted``.
    """
    if wanted in (None, caller.project):
        caller.check()
        return caller.project
    asked = caller.also_asking(CREATE_RESTRICTED)
    if caller.policy is not None and caller.policy.has_old_defaults:
        asked = asked.also_asking(CREATE_PRE_RBAC)
    asked.check()
    return wanted


async def _find(tx: Transaction, caller: Caller, ident: str) -> Allocation:
    missing = NotFound(f"Allocation {ident} could not be found.")
    return _admitted(caller, await find_allocation(tx, ident), missing)


def _admitted(caller: Caller, allocation: Allocation | None, missing: NotFound) -> Allocation:
    """The allocation, if the caller may see it and what is asked is allowed on it. Raises ``missing`` or
    Forbidden."""
    if allocation is None:
        raise missing
    if not caller.is_trusted:
        target = of_allocation(allocation)
        if not caller.may(SEE, target):
            raise concealed(missing)
        caller.check(target)
    return allocation


async def _node_uuid(tx: Transaction, ident: object, owner: str | None) -> str:
    """The node an allocation of ``owner`` names. Raises InvalidValue; other projects' nodes are as if they
    were not there."""
    node = await find_node(tx, storable(ident, "node")) if isinstance(ident, str) else None
    if node is None or (owner is not None and owner not in (node.owner, node.lessee)):
        raise InvalidValue(f"The node {str(ident)[:80]!r} does not exist.")
    return node.uuid
