"""Lists for the wire: chosen columns of one table as they lie there, cut into pages."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, or_, select

from bessemer.kernel.error import InvalidValue
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.page import Page, read_page
from bessemer.store.table import NODES


async def list_rows(
    tx: Transaction,
    table: Table,
    noun: str,
    fields: Sequence[str],
    page: Page,
    *conditions: ColumnElement[bool],
    visible: Sequence[ColumnElement[bool]] = (),
) -> list[AnyRow]:
    """``fields`` of the rows that fulfil all ``conditions``; ``noun`` (plural) names them in messages.

    So must they fulfil those of ``visible``, and the marker with them.

    Raises:
        InvalidValue: A field or sort key that the table does not have.
        NotFound: The marker does not exist.
    """
    unknown = [field for field in fields if field not in table.c]
    if unknown:
        raise InvalidValue(f"{noun} have no field '{unknown[0]}'.")
    statement = select(*(table.c[field] for field in fields)).where(*conditions, *visible)
    return await read_page(tx, statement, table, page, visible=visible)


def of_nodes(
    node_uuid: ColumnElement[str],
    *,
    shards: Sequence[str] | None = None,
    conductor_groups: Sequence[str] | None = None,
    project: str | None = None,
) -> list[ColumnElement[bool]]:
    """Conditions on the node that a row belongs to by its column ``node_uuid``; none when nothing is asked.

    ``project`` is the node's owner or lessee.
    """
    node = NODES.c
    found: list[ColumnElement[bool]] = []
    if shards is not None:
        found.append(node.shard.in_(shards))
    if conductor_groups is not None:
        found.append(node.conductor_group.in_(conductor_groups))
    if project is not None:
        found.append(of_project(project))
    return [node_uuid.in_(select(node.uuid).where(*found))] if found else []


def of_project(project: str) -> ColumnElement[bool]:
    """Nodes that the project owns or leases."""
    return or_(NODES.c.owner == project, NODES.c.lessee == project)
