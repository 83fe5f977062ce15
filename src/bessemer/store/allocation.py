"""Allocations: create, look up, change, list, and the end of their hold on a node."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.allocation import Allocation, AllocationState
from bessemer.domain.node import Node
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows
from bessemer.store.node import get_node, update_node
from bessemer.store.page import Page
from bessemer.store.record import Mapper, decode_json
from bessemer.store.statement import Statement
from bessemer.store.table import ALLOCATIONS

_ALLOCATION = Mapper(
    Allocation,
    ALLOCATIONS,
    json_fields=("traits", "candidate_nodes", "extra"),
    decoders={
        "state": AllocationState,
        **dict.fromkeys(("traits", "candidate_nodes"), lambda text: tuple(decode_json(text))),
    },
)
_COLUMNS = ALLOCATIONS.c
_BY_UUID = _ALLOCATION.select().where(_COLUMNS.uuid == bindparam("key"))
_BY_UUID_LOCKED = _BY_UUID.with_for_update()
_BY_NAME = _ALLOCATION.select().where(_COLUMNS.name == bindparam("key"))
_OF_NODE = _ALLOCATION.select().where(_COLUMNS.node_uuid == bindparam("key"))
_DELETE_OF_NODE = Statement(delete(ALLOCATIONS).where(_COLUMNS.node_uuid == bindparam("key")))
_WAITING = (
    _ALLOCATION.select().where(_COLUMNS.state == AllocationState.ALLOCATING.value).order_by(_COLUMNS.id)
)  # fmt: skip
_UPDATE = update(ALLOCATIONS).where(_COLUMNS.uuid == bindparam("key")).returning(*_ALLOCATION.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFilter:
    """Which allocations to list: those that fulfil everything given. None asks nothing."""

    node_uuid: str | None = None
    resource_class: str | None = None
    state: str | None = None
    owner: str | None = None


async def create_allocation(tx: Transaction, allocation: Allocation) -> Allocation:
    """Store a new allocation.

    Raises:
        Duplicate: Its uuid or name is taken, or its node has another allocation.
        NotFound: Its node does not exist.
    """
    tx.note_change("allocation", allocation.uuid)
    row = _ALLOCATION.to_row(allocation)
    try:
        await tx.execute(insert(ALLOCATIONS), row)
    except IntegrityError as error:
        raise conflict(error, ALLOCATIONS, "allocation", row) from error
    return allocation


async def get_allocation(tx: Transaction, uuid: str, *, lock: bool = False) -> Allocation:
    """The allocation. ``lock`` keeps others from changing it until this transaction ends.

    Raises:
        NotFound: There is none.
    """
    allocation = await _find(tx, _BY_UUID_LOCKED if lock else _BY_UUID, uuid)
    if allocation is None:
        raise NotFound(f"Allocation '{uuid}' could not be found.")
    return allocation


async def find_allocation(tx: Transaction, ident: str) -> Allocation | None:
    """The allocation with this UUID, or else with this name."""
    allocation = await _find(tx, _BY_UUID, ident.lower()) if is_uuid(ident) else None
    return allocation or await _find(tx, _BY_NAME, ident)


async def find_allocation_of(tx: Transaction, node_uuid: str) -> Allocation | None:
    """The allocation that holds this node."""
    return await _find(tx, _OF_NODE, node_uuid)


async def list_waiting_allocations(tx: Transaction, limit: int) -> list[Allocation]:
    """Allocations that nobody has settled yet, oldest first: work for whoever calls ``claim_candidate``."""
    return [_ALLOCATION.to_record(row) for row in await tx.execute(_WAITING.limit(limit))]


async def update_allocation(tx: Transaction, uuid: str, **changes: Any) -> Allocation:
    """Change fields (named as in ``Allocation``) and ``updated_at``; the allocation as it is then.

    Raises:
        NotFound: There is no such allocation.
        Duplicate: The name is taken, or the node has another allocation.
    """
    tx.note_change("allocation", uuid)
    values = _ALLOCATION.encode({"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, ALLOCATIONS, "allocation", changes) from error
    if row is None:
        raise NotFound(f"Allocation '{uuid}' could not be found.")
    return _ALLOCATION.to_record(row)


async def delete_allocation(tx: Transaction, uuid: str) -> Node | None:
    """Delete the allocation and take its instance off the node it holds; that node as it is then.

    Raises:
        NotFound: There is no such allocation.
    """
    tx.note_change("allocation", uuid)
    allocation = await get_allocation(tx, uuid)
    if allocation.node_uuid is not None:
        # Nodes are locked before what is below them.
        await get_node(tx, allocation.node_uuid, lock=True)
    allocation = await get_allocation(tx, uuid, lock=True)
    await tx.execute(delete(ALLOCATIONS).where(_COLUMNS.uuid == uuid))
    if allocation.node_uuid is None:
        return None
    return await _without_instance(tx, await get_node(tx, allocation.node_uuid, lock=True))


async def release_node(tx: Transaction, node_uuid: str) -> Node:
    """Take the instance off the node and delete the allocation that put it there, if one did; the node as
    it is then. What removing ``instance_uuid`` and tearing a node down do. Idempotent.

    Raises:
        NotFound: There is no such node.
    """
    node = await get_node(tx, node_uuid, lock=True)
    await tx.execute(_DELETE_OF_NODE, {"key": node_uuid})
    return await _without_instance(tx, node)


async def list_allocation_rows(
    tx: Transaction, fields: Sequence[str], filters: AllocationFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of allocations as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that allocations do not have.
        NotFound: The marker does not exist.
    """
    found: list[ColumnElement[bool]] = [
        _COLUMNS[name] == value
        for name in ("node_uuid", "resource_class", "state")
        if (value := getattr(filters, name)) is not None
    ]
    visible = [] if filters.owner is None else [_COLUMNS.owner == filters.owner]
    return await list_rows(tx, ALLOCATIONS, "Allocations", fields, page, *found, visible=visible)


async def _without_instance(tx: Transaction, node: Node) -> Node:
    info = {name: value for name, value in node.instance_info.items() if name != "traits"}
    return await update_node(
        tx, node.uuid, instance_uuid=None, allocation_uuid=None, instance_info=info
    )  # fmt: skip


async def _find(tx: Transaction, statement: Any, key: str) -> Allocation | None:
    row = (await tx.execute(statement, {"key": key})).first()
    return None if row is None else _ALLOCATION.to_record(row)
