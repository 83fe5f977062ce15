"""Port groups: create, look up, change, list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.portgroup import Portgroup
from bessemer.kernel.error import Conflict, NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows, of_nodes
from bessemer.store.page import Page
from bessemer.store.record import Mapper
from bessemer.store.table import PORTGROUPS

_PORTGROUP = Mapper(Portgroup, PORTGROUPS, json_fields=("properties", "extra", "internal_info"))
_BY_UUID = _PORTGROUP.select().where(PORTGROUPS.c.uuid == bindparam("key"))
_BY_NAME = _PORTGROUP.select().where(PORTGROUPS.c.name == bindparam("key"))
_BY_ADDRESS = _PORTGROUP.select().where(PORTGROUPS.c.address == bindparam("key"))
_OF_NODE = (
    _PORTGROUP.select().where(PORTGROUPS.c.node_uuid == bindparam("key")).order_by(PORTGROUPS.c.id)
)  # fmt: skip
_UPDATE = (
    update(PORTGROUPS).where(PORTGROUPS.c.uuid == bindparam("key")).returning(*_PORTGROUP.columns)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PortgroupFilter:
    """Which port groups to list: those that fulfil everything given. None asks nothing."""

    node_uuid: str | None = None
    address: str | None = None
    #: Of the group's node.
    shards: Sequence[str] | None = None
    #: Of the group's node.
    conductor_groups: Sequence[str] | None = None
    #: Owner or lessee of the group's node.
    project: str | None = None


async def create_portgroup(tx: Transaction, portgroup: Portgroup) -> Portgroup:
    """Store a new port group. Its address is to be in lower case.

    Raises:
        Duplicate: Its uuid, address or name is taken.
        NotFound: Its node does not exist.
    """
    tx.note_change("portgroup", portgroup.uuid)
    row = _PORTGROUP.to_row(portgroup)
    try:
        await tx.execute(insert(PORTGROUPS), row)
    except IntegrityError as error:
        raise conflict(error, PORTGROUPS, "port group", row) from error
    return portgroup


async def get_portgroup(tx: Transaction, uuid: str) -> Portgroup:
    """Raises NotFound when there is no such port group."""
    portgroup = await _find(tx, _BY_UUID, uuid)
    if portgroup is None:
        raise NotFound(f"Port group '{uuid}' could not be found.")
    return portgroup


async def find_portgroup(tx: Transaction, ident: str) -> Portgroup | None:
    """The port group with this UUID, or else with this name."""
    portgroup = await _find(tx, _BY_UUID, ident.lower()) if is_uuid(ident) else None
    return portgroup or await _find(tx, _BY_NAME, ident)


async def find_portgroup_by_address(tx: Transaction, address: str) -> Portgroup | None:
    """The port group with this MAC address, in either case."""
    return await _find(tx, _BY_ADDRESS, address.lower())


async def update_portgroup(tx: Transaction, uuid: str, **changes: Any) -> Portgroup:
    """Change fields (named as in ``Portgroup``) and ``updated_at``; the port group as it is then.

    Raises:
        NotFound: There is no such port group, or the node it is moved to does not exist.
        Duplicate: The address or name is taken.
    """
    tx.note_change("portgroup", uuid)
    values = _PORTGROUP.encode({"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, PORTGROUPS, "port group", changes) from error
    if row is None:
        raise NotFound(f"Port group '{uuid}' could not be found.")
    return _PORTGROUP.to_record(row)


async def delete_portgroup(tx: Transaction, uuid: str) -> None:
    """Delete a port group that has no ports.

    Raises:
        NotFound: There is no such port group.
        Conflict: Ports are in it.
    """
    tx.note_change("portgroup", uuid)
    try:
        done = await tx.execute(delete(PORTGROUPS).where(PORTGROUPS.c.uuid == uuid))
    except IntegrityError as error:
        raise Conflict(f"Port group '{uuid}' still has ports.") from error
    if done.rowcount == 0:
        raise NotFound(f"Port group '{uuid}' could not be found.")


async def list_portgroups_of(tx: Transaction, node_uuid: str) -> list[Portgroup]:
    """All port groups of one node, oldest first."""
    return [_PORTGROUP.to_record(row) for row in await tx.execute(_OF_NODE, {"key": node_uuid})]


async def list_portgroup_rows(
    tx: Transaction, fields: Sequence[str], filters: PortgroupFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of port groups as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that port groups do not have.
        NotFound: The marker does not exist.
    """
    visible = of_nodes(PORTGROUPS.c.node_uuid, project=filters.project)
    conditions = _conditions(filters)
    return await list_rows(tx, PORTGROUPS, "Port groups", fields, page, *conditions, visible=visible)


async def _find(tx: Transaction, statement: Any, key: str) -> Portgroup | None:
    row = (await tx.execute(statement, {"key": key})).first()
    return None if row is None else _PORTGROUP.to_record(row)


def _conditions(filters: PortgroupFilter) -> list[ColumnElement[bool]]:
    group = PORTGROUPS.c
    found: list[ColumnElement[bool]] = []
    if filters.node_uuid is not None:
        found.append(group.node_uuid == filters.node_uuid)
    if filters.address is not None:
        found.append(group.address == filters.address.lower())
    return found + of_nodes(
        group.node_uuid,
        shards=filters.shards,
        conductor_groups=filters.conductor_groups,
    )
