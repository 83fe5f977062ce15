"""Nodes: create, look up, change, list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.node import JSON_FIELDS, SECRET_KEYS, Node
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.duty import add_node_duties
from bessemer.store.failure import conflict
from bessemer.store.listing import of_project
from bessemer.store.page import Page, apply_page, in_order
from bessemer.store.sealed import SealedMapper
from bessemer.store.statement import Statement
from bessemer.store.table import CONDUCTOR_INTERFACES, CONDUCTORS, EVENTS, NODES

NODE = SealedMapper(
    Node,
    NODES,
    json_fields=JSON_FIELDS,
    secrets=SECRET_KEYS,
    decoders={
        "provision_state": ProvisionState,
        "target_provision_state": ProvisionState,
        "power_state": PowerState,
        "target_power_state": PowerState,
    },
)
_SELECT = NODE.select().where(NODES.c.uuid == bindparam("key"))
_BY_UUID = Statement(_SELECT)
_INSERT = Statement(insert(NODES))
_UPDATE = Statement(update(NODES).where(NODES.c.uuid == bindparam("key")).returning(*NODE.columns))
# Of a node that is locked and known there is nothing to bring back.
_UPDATE_KNOWN = Statement(update(NODES).where(NODES.c.uuid == bindparam("key")))
_BY_UUID_LOCKED = Statement(_SELECT.with_for_update(key_share=True))
_OF_PARENT = Statement(NODE.select().where(NODES.c.parent_node == bindparam("key")).order_by(NODES.c.id))
_BY_NAME = Statement(NODE.select().where(NODES.c.name == bindparam("key")))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFilter:
    """Which nodes to list: those that fulfil everything given. None (or empty) asks nothing.

    Nodes that have a parent are left out unless ``include_children`` or ``parent_node`` says otherwise.
    """

    uuids: Sequence[str] | None = None
    chassis_uuid: str | None = None
    instance_uuid: str | None = None
    instance_name: str | None = None
    #: Whether an instance is on the node.
    associated: bool | None = None
    maintenance: bool | None = None
    retired: bool | None = None
    provision_state: str | None = None
    provision_states: Sequence[str] | None = None
    driver: str | None = None
    resource_class: str | None = None
    fault: str | None = None
    #: The empty string is the default group.
    conductor_group: str | None = None
    #: Host name: nodes of that conductor's group with a driver it offers.
    conductor: str | None = None
    owner: str | None = None
    lessee: str | None = None
    #: Owner or lessee.
    project: str | None = None
    #: Text in the description, whatever its case.
    description_contains: str | None = None
    shards: Sequence[str] | None = None
    sharded: bool | None = None
    parent_node: str | None = None
    include_children: bool = False


async def create_node(tx: Transaction, node: Node) -> Node:
    """Store a new node.

    Raises:
        Duplicate: Its uuid, name or instance_uuid is taken.
        NotFound: Its chassis does not exist.
    """
    tx.note_change("node", node.uuid)
    row = NODE.to_row(tx, node)
    try:
        await tx.execute(_INSERT, row)
    except IntegrityError as error:
        raise conflict(error, NODES, "node", row) from error
    await add_node_duties(tx, node.uuid, node.conductor_group)
    return node


async def get_node(tx: Transaction, uuid: str, *, lock: bool = False) -> Node:
    """The node. ``lock`` keeps others from changing it until this transaction ends.

    Raises:
        NotFound: There is none.
    """
    if uuid in tx.nodes:
        known: Node = tx.nodes[uuid]
        return known
    if uuid in tx.node_rows:
        return _locked(tx, tx.node_rows[uuid])
    row = (await tx.execute(_BY_UUID_LOCKED if lock else _BY_UUID, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Node '{uuid}' could not be found.")
    return _locked(tx, row) if lock else NODE.to_record(tx, row)


async def find_node(tx: Transaction, ident: str) -> Node | None:
    """The node with this UUID, or else with this name."""
    row = None
    if is_uuid(ident):
        row = (await tx.execute(_BY_UUID, {"key": ident.lower()})).first()
    if row is None:
        row = (await tx.execute(_BY_NAME, {"key": ident})).first()
    return None if row is None else NODE.to_record(tx, row)


async def list_child_nodes(tx: Transaction, parent_uuid: str) -> list[Node]:
    """The nodes whose ``parent_node`` this one is, oldest first."""
    return [NODE.to_record(tx, row) for row in await tx.execute(_OF_PARENT, {"key": parent_uuid})]


async def update_node(tx: Transaction, uuid: str, **changes: Any) -> Node:
    """Change fields (named as in ``Node``) and ``updated_at``; the node as it is then.

    Raises:
        NotFound: There is no such node, or the chassis it is moved to does not exist.
        Duplicate: The name or instance_uuid is taken.
    """
    tx.note_change("node", uuid)
    values = NODE.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    known = await get_node(tx, uuid) if uuid in tx.nodes or uuid in tx.node_rows else None
    try:
        done = await tx.execute(_UPDATE if known is None else _UPDATE_KNOWN, {"key": uuid, **values})
    except IntegrityError as error:
        raise conflict(error, NODES, "node", changes) from error
    row = done.first()
    if known is not None:
        known = tx.nodes[uuid] = NODE.changed(known, {"updated_at": values["updated_at"], **changes})
        return known
    if row is None:
        raise NotFound(f"Node '{uuid}' could not be found.")
    return _locked(tx, row)


async def merge_node(tx: Transaction, uuid: str, field: str, changes: dict[str, Any]) -> Node:
    """Set keys of one JSON field and leave its other keys alone; the value None removes a key.

    Raises:
        NotFound: There is no such node.
        InvalidValue: ``field`` holds no JSON object.
    """
    if field not in JSON_FIELDS:
        raise InvalidValue(f"Node field '{field}' is not an object.")
    node = await get_node(tx, uuid, lock=True)
    merged = {**getattr(node, field), **changes}
    return await update_node(
        tx, uuid, **{field: {key: value for key, value in merged.items() if value is not None}}
    )


async def delete_node(tx: Transaction, uuid: str) -> None:
    """Delete the node with all that is below it: ports and port groups, traits, volumes, readings, inventory,
    allocation, operations. Its events stay for their readers, but a later node of the same UUID will not have
    them in its history.

    Raises:
        NotFound: There is no such node.
    """
    tx.note_change("node", uuid)
    tx.nodes.pop(uuid, None)
    tx.node_rows.pop(uuid, None)
    done = await tx.execute(delete(NODES).where(NODES.c.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Node '{uuid}' could not be found.")
    await tx.execute(
        update(EVENTS).where(EVENTS.c.node_uuid == uuid, EVENTS.c.in_history).values(in_history=False)
    )


async def list_node_rows(
    tx: Transaction,
    fields: Sequence[str],
    filters: NodeFilter,
    page: Page,
    *,
    opened: Collection[str] = (),
) -> Sequence[Sequence[Any]]:
    """``fields`` of nodes as they lie in the database: JSON documents are text.

    Secrets in documents are sealed, except in the fields ``opened``; the first field must be ``uuid`` then.

    Raises:
        InvalidValue: A field or sort key that nodes do not have.
        NotFound: The marker does not exist.
    """
    unknown = [field for field in fields if field not in NODES.c]
    if unknown:
        raise InvalidValue(f"Nodes have no field '{unknown[0]}'.")
    rows = (await _rows(tx, tuple(fields), filters, page)).all()
    places = [(index, field) for index, field in enumerate(fields) if field in opened]
    return [_opened(tx, row, places) for row in rows] if places else rows


async def _rows(tx: Transaction, fields: tuple[str, ...], filters: NodeFilter, page: Page) -> Any:
    given = _given(filters)
    if page.marker is None and given.keys() <= _PLAIN:
        names = tuple(name for name in given if name != "include_children")
        statement = _first_page(fields, names, "include_children" in given, _shape(page))
        return await tx.execute(statement, {**given, "most": page.limit})
    visible = [] if filters.project is None else [of_project(filters.project)]
    wanted = select(*(NODES.c[field] for field in fields)).where(*_conditions(filters), *visible)
    return await tx.execute(await apply_page(tx, wanted, NODES, page, visible=visible))


def _locked(tx: Transaction, row: AnyRow | Sequence[Any]) -> Node:
    """The record of a node that this transaction has locked."""
    node = NODE.to_record(tx, row)
    tx.nodes[node.uuid] = node
    return node


def _opened(tx: Transaction, row: Sequence[Any], places: Sequence[tuple[int, str]]) -> Any:
    values = list(row)
    for index, field in places:
        values[index] = NODE.opened(tx, values[0], field, values[index])
    return values


def _given(filters: NodeFilter) -> dict[str, Any]:
    """What the filter asks, by name."""
    every = {field: getattr(filters, field) for field in filters.__slots__}
    if not filters.include_children:
        del every["include_children"]
    return {name: value for name, value in every.items() if value is not None}


@lru_cache(maxsize=256)
def _first_page(
    fields: tuple[str, ...], equal: tuple[str, ...], with_children: bool, shape: Page
) -> Statement:
    """The first page of the most frequent lists, made once: building a select of sixty columns costs as much
    as running it. ``equal`` are the columns that have to have a value given as parameter.
    """
    conditions = [NODES.c[name] == bindparam(name) for name in equal]
    if "parent_node" not in equal and not with_children:
        conditions.append(NODES.c.parent_node.is_(None))
    wanted = select(*(NODES.c[field] for field in fields)).where(*conditions)
    return Statement(in_order(wanted, NODES, shape).limit(bindparam("most", type_=Integer())), is_long=True)


def _shape(page: Page) -> Page:
    """What of a page decides the form of its statement."""
    return replace(page, limit=0, marker=None)


_EQUAL = (
    "chassis_uuid",
    "instance_uuid",
    "instance_name",
    "maintenance",
    "retired",
    "provision_state",
    "driver",
    "resource_class",
    "fault",
    "conductor_group",
    "owner",
    "lessee",
    "parent_node",
)
_PLAIN = {*_EQUAL, "include_children"}


def _conditions(filters: NodeFilter) -> list[ColumnElement[bool]]:
    node = NODES.c
    found = [
        node[name] == value for name in _EQUAL if (value := getattr(filters, name)) is not None
    ]  # fmt: skip
    if filters.uuids is not None:
        found.append(node.uuid.in_(filters.uuids))
    if filters.provision_states is not None:
        found.append(node.provision_state.in_(filters.provision_states))
    if filters.associated is not None:
        found.append(_is_set(node.instance_uuid, wanted=filters.associated))
    if filters.sharded is not None:
        found.append(_is_set(node.shard, wanted=filters.sharded))
    if filters.shards is not None:
        found.append(node.shard.in_(filters.shards))
    if filters.description_contains is not None:
        found.append(node.description.icontains(filters.description_contains, autoescape=True))
    if filters.conductor is not None:
        found.append(_served_by(filters.conductor))
    if filters.parent_node is None and not filters.include_children:
        found.append(node.parent_node.is_(None))
    return found


def _is_set(column: ColumnElement[Any], *, wanted: bool) -> ColumnElement[bool]:
    return column.is_not(None) if wanted else column.is_(None)


def _served_by(hostname: str) -> ColumnElement[bool]:
    conductor, offered = CONDUCTORS.c, CONDUCTOR_INTERFACES.c
    return and_(
        exists().where(conductor.hostname == hostname, conductor.conductor_group == NODES.c.conductor_group),
        exists().where(offered.hostname == hostname, offered.hardware_type == NODES.c.driver),
    )
