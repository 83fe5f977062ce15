"""Ports: create, look up, change, list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.port import Port
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows, of_nodes
from bessemer.store.page import Page
from bessemer.store.record import Mapper
from bessemer.store.statement import Statement
from bessemer.store.table import PORTS

_PORT = Mapper(Port, PORTS, json_fields=("extra", "internal_info", "local_link_connection"))
_BY_UUID = Statement(_PORT.select().where(PORTS.c.uuid == bindparam("key")))
_UPDATE = Statement(update(PORTS).where(PORTS.c.uuid == bindparam("key")).returning(*_PORT.columns))
_BY_NAME = Statement(_PORT.select().where(PORTS.c.name == bindparam("key")))
_BY_ADDRESS = Statement(_PORT.select().where(PORTS.c.address == bindparam("key")))
_OF_NODE = Statement(_PORT.select().where(PORTS.c.node_uuid == bindparam("key")).order_by(PORTS.c.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFilter:
    """Which ports to list: those that fulfil everything given. None asks nothing."""

    node_uuid: str | None = None
    address: str | None = None
    portgroup_uuid: str | None = None
    description_contains: str | None = None
    #: Of the port's node.
    shards: Sequence[str] | None = None
    #: Of the port's node.
    conductor_groups: Sequence[str] | None = None
    #: Owner or lessee of the port's node.
    project: str | None = None


async def create_port(tx: Transaction, port: Port) -> Port:
    """Store a new port. Its address is to be in lower case.

    Raises:
        Duplicate: Its uuid, address or name is taken.
        NotFound: Its node does not exist.
    """
    tx.note_change("port", port.uuid)
    row = _PORT.to_row(port)
    try:
        await tx.execute(insert(PORTS), row)
    except IntegrityError as error:
        raise conflict(error, PORTS, "port", row) from error
    return port


async def get_port(tx: Transaction, uuid: str) -> Port:
    """Raises NotFound when there is no such port."""
    port = await _find(tx, _BY_UUID, uuid)
    if port is None:
        raise NotFound(f"Port '{uuid}' could not be found.")
    return port


async def find_port(tx: Transaction, ident: str) -> Port | None:
    """The port with this UUID, or else with this name."""
    port = await _find(tx, _BY_UUID, ident.lower()) if is_uuid(ident) else None
    return port or await _find(tx, _BY_NAME, ident)


async def find_port_by_address(tx: Transaction, address: str) -> Port | None:
    """The port with this MAC address, in either case."""
    return await _find(tx, _BY_ADDRESS, address.lower())


async def update_port(tx: Transaction, uuid: str, **changes: Any) -> Port:
    """Change fields (named as in ``Port``) and ``updated_at``; the port as it is then.

    Raises:
        NotFound: There is no such port, or the node it is moved to does not exist.
        Duplicate: The address or name is taken.
    """
    tx.note_change("port", uuid)
    values = _PORT.encode({"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, PORTS, "port", changes) from error
    if row is None:
        raise NotFound(f"Port '{uuid}' could not be found.")
    return _PORT.to_record(row)


async def delete_port(tx: Transaction, uuid: str) -> None:
    """Raises NotFound when there is no such port."""
    tx.note_change("port", uuid)
    done = await tx.execute(delete(PORTS).where(PORTS.c.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Port '{uuid}' could not be found.")


async def list_ports_of(tx: Transaction, node_uuid: str) -> list[Port]:
    """All ports of one node, oldest first."""
    return [_PORT.to_record(row) for row in await tx.execute(_OF_NODE, {"key": node_uuid})]


async def list_port_rows(
    tx: Transaction, fields: Sequence[str], filters: PortFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of ports as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that ports do not have.
        NotFound: The marker does not exist.
    """
    visible = of_nodes(PORTS.c.node_uuid, project=filters.project)
    return await list_rows(tx, PORTS, "Ports", fields, page, *_conditions(filters), visible=visible)


async def find_nodes_by_addresses(tx: Transaction, macs: Sequence[str]) -> list[str]:
    """UUIDs of the nodes that have a port with one of these MAC addresses, each once."""
    addresses = [mac.lower() for mac in macs]
    statement = select(PORTS.c.node_uuid).where(PORTS.c.address.in_(addresses)).distinct()
    return list((await tx.execute(statement.order_by(PORTS.c.node_uuid))).scalars())


async def _find(tx: Transaction, statement: Any, key: str) -> Port | None:
    row = (await tx.execute(statement, {"key": key})).first()
    return None if row is None else _PORT.to_record(row)


def _conditions(filters: PortFilter) -> list[ColumnElement[bool]]:
    port = PORTS.c
    found = [
        port[name] == value
        for name in ("node_uuid", "address", "portgroup_uuid")
        if (value := getattr(filters, name)) is not None
    ]
    if filters.description_contains is not None:
        found.append(port.description.icontains(filters.description_contains, autoescape=True))
    return found + of_nodes(port.node_uuid, shards=filters.shards, conductor_groups=filters.conductor_groups)
