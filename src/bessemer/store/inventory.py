"""Inventories: what inspection found, one per node."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bessemer.kernel.error import NotFound
from bessemer.store.database import Transaction
from bessemer.store.record import decode_object, encode_json
from bessemer.store.table import INVENTORIES

_BY_NODE = select(INVENTORIES.c.inventory, INVENTORIES.c.plugin_data).where(
    INVENTORIES.c.node_uuid == bindparam("key")
)


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """``inventory`` is what the agent or the BMC reported, ``plugin_data`` what was made of it."""

    inventory: dict[str, Any]
    plugin_data: dict[str, Any]


async def put_inventory(
    tx: Transaction, node_uuid: str, inventory: dict[str, Any], plugin_data: dict[str, Any]
) -> None:
    """Store the node's inventory in place of an earlier one. Raises NotFound when there is no such node."""
    values = {"inventory": encode_json(inventory), "plugin_data": encode_json(plugin_data)}
    changed = await tx.execute(
        update(INVENTORIES).where(INVENTORIES.c.node_uuid == node_uuid).values(updated_at=tx.now(), **values)
    )
    if changed.rowcount:
        return
    try:
        await tx.execute(insert(INVENTORIES), {"node_uuid": node_uuid, "created_at": tx.now(), **values})
    except IntegrityError as error:
        raise NotFound(f"Node '{node_uuid}' could not be found.") from error


async def find_inventory(tx: Transaction, node_uuid: str) -> Inventory | None:
    row = (await tx.execute(_BY_NODE, {"key": node_uuid})).first()
    if row is None:
        return None
    return Inventory(inventory=decode_object(row[0]), plugin_data=decode_object(row[1]))
