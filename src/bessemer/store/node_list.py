"""Lists of nodes: which of them, and their columns as they lie there.

This is the hottest path. A statement depends on which filters are used, not on what they ask for, so it is
made once: building a select of sixty columns costs as much as running it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, func, or_, select

from bessemer.kernel.error import InvalidValue
from bessemer.store.database import Transaction
from bessemer.store.listing import of_project
from bessemer.store.node import NODE
from bessemer.store.page import Order, Page, Stretch, cut, read_stretches
from bessemer.store.statement import Statement
from bessemer.store.table import CONDUCTOR_INTERFACES, CONDUCTORS, NODES
from bessemer.store.together import column, names_in


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


async def list_node_rows(
    tx: Transaction,
    fields: Sequence[str],
    filters: NodeFilter,
    page: Page,
    *,
    opened: Collection[str] = (),
) -> Sequence[Sequence[Any]]:
    """``fields`` of nodes as they lie in the database: JSON documents are text. A field may be several that
    are read ``together``.

    Secrets in documents are sealed, except in the fields ``opened``; the first field must be ``uuid`` then.

    Raises:
        InvalidValue: A field or sort key that nodes do not have.
        NotFound: The marker does not exist.
    """
    unknown = [name for field in fields for name in names_in(field) if name not in NODES.c]
    if unknown:
        raise InvalidValue(f"Nodes have no field '{unknown[0]}'.")
    asked, values = _asked(filters)
    columns = tuple(fields)

    def statement(order: Order, stretch: Stretch) -> Statement | Executable:
        return _statement(columns, asked, order, stretch)

    visible = [] if filters.project is None else [of_project(filters.project)]
    identity = columns.index("uuid") if "uuid" in columns else None
    rows = await read_stretches(tx, NODES, page, statement, values, identity=identity, visible=visible)
    places = [(index, field) for index, field in enumerate(fields) if field in opened]
    return [_opened(tx, row, places) for row in rows] if places else rows


def _opened(tx: Transaction, row: Sequence[Any], places: Sequence[tuple[int, str]]) -> Any:
    values = list(row)
    for index, field in places:
        values[index] = NODE.opened(tx, values[0], field, values[index])
    return values


#: A filter that is used: its name, and its value where that decides the form of the statement.
_Asked = tuple[str, bool | None]

#: Columns for filters that give several values. Their statements differ by how many those are.
_LISTS = {"uuids": NODES.c.uuid, "provision_states": NODES.c.provision_state, "shards": NODES.c.shard}
_GIVEN = {"associated": NODES.c.instance_uuid, "sharded": NODES.c.shard}


def _asked(filters: NodeFilter) -> tuple[tuple[_Asked, ...], dict[str, Any]]:
    """The filters that are used, and the parameters for them."""
    asked: list[_Asked] = []
    values: dict[str, Any] = {}
    for name in filters.__slots__:
        value = getattr(filters, name)
        if isinstance(value, bool):
            asked.append((name, value))
        elif value is not None:
            asked.append((name, None))
            values[name] = _pattern(value) if name == "description_contains" else value
    return tuple(asked), values


#: What ``lower`` does to descriptions, on both databases: only ASCII has two cases there.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def _pattern(text: str) -> str:
    for special in "/%_":
        text = text.replace(special, "/" + special)
    return f"%{text.translate(_LOWER)}%"


@lru_cache(maxsize=256)
def _statement(
    fields: tuple[str, ...], asked: tuple[_Asked, ...], order: Order, stretch: Stretch
) -> Statement | Executable:
    names = {name for name, _ in asked}
    conditions = [_condition(name, flag) for name, flag in asked if name != "include_children"]
    if "parent_node" not in names and ("include_children", True) not in asked:
        conditions.append(NODES.c.parent_node.is_(None))
    wanted = select(*(column(NODES, field) for field in fields)).where(*conditions)
    paged = cut(wanted, NODES, order, stretch)
    return Statement(paged, is_long=True) if names.isdisjoint(_LISTS) else paged


def _condition(name: str, flag: bool | None) -> ColumnElement[bool]:
    if flag is None:
        return _fulfils(name, bindparam(name, expanding=name in _LISTS))
    if name in _GIVEN:
        return _GIVEN[name].is_not(None) if flag else _GIVEN[name].is_(None)
    # Written out, no parameter: an index over nodes in maintenance serves no query that might ask for others.
    return NODES.c[name] if flag else ~NODES.c[name]


def _fulfils(name: str, asked: ColumnElement[Any]) -> ColumnElement[bool]:
    node = NODES.c
    if name in _LISTS:
        return _LISTS[name].in_(asked)
    if name == "project":
        return or_(node.owner == asked, node.lessee == asked)
    if name == "conductor":
        return _served_by(asked)
    if name == "description_contains":
        return func.lower(node.description).like(asked, escape="/")
    return node[name] == asked


def _served_by(hostname: ColumnElement[str]) -> ColumnElement[bool]:
    conductor, offered = CONDUCTORS.c, CONDUCTOR_INTERFACES.c
    return and_(
        exists().where(conductor.hostname == hostname, conductor.conductor_group == NODES.c.conductor_group),
        exists().where(offered.hostname == hostname, offered.hardware_type == NODES.c.driver),
    )
