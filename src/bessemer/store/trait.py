"""Traits of nodes: a set of names each."""

from collections.abc import Iterable, Sequence

from sqlalchemy import JSON, Text, bindparam, cast, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from bessemer.kernel.error import NotFound
from bessemer.store.database import Transaction
from bessemer.store.document import encode_json
from bessemer.store.record import storable
from bessemer.store.statement import Statement
from bessemer.store.table import NODE_TRAITS

_COLUMNS = NODE_TRAITS.c
_PAIRS = select(_COLUMNS.node_uuid, _COLUMNS.trait).order_by(_COLUMNS.trait)
_OF_ONE = Statement(_PAIRS.where(_COLUMNS.node_uuid == bindparam("uuid")))
# A thousand nodes are one parameter, a JSON list: a thousand of them cost more to write than to look up.
_UUIDS = bindparam("uuids", type_=Text())
_OF_MANY_SQLITE = Statement(
    _PAIRS.where(_COLUMNS.node_uuid.in_(select(func.json_each(_UUIDS).table_valued("value").c.value))),
    is_long=True,
)
_OF_MANY_POSTGRESQL = Statement(
    _PAIRS.where(
        _COLUMNS.node_uuid.in_(select(func.json_array_elements_text(cast(_UUIDS, JSON)).column_valued()))
    )
)


async def list_traits(tx: Transaction, node_uuids: Sequence[str]) -> dict[str, list[str]]:
    """The traits of each of these nodes, in order of name; a node without any has an empty list."""
    found: dict[str, list[str]] = {uuid: [] for uuid in node_uuids}
    if len(node_uuids) == 1:
        rows = await tx.execute(_OF_ONE, {"uuid": node_uuids[0]})
    else:
        statement = _OF_MANY_POSTGRESQL if tx.is_postgresql else _OF_MANY_SQLITE
        rows = await tx.execute(statement, {"uuids": encode_json(list(node_uuids))})
    for uuid, trait in rows:
        found[uuid].append(trait)
    return found


async def set_traits(tx: Transaction, node_uuid: str, traits: Iterable[str]) -> None:
    """Give the node these traits and no others. Raises NotFound when there is no such node."""
    await tx.execute(delete(NODE_TRAITS).where(_COLUMNS.node_uuid == node_uuid))
    rows = [{"node_uuid": node_uuid, "trait": storable(trait, "trait")} for trait in sorted(set(traits))]
    if not rows:
        return
    try:
        await tx.execute(insert(NODE_TRAITS), rows)
    except IntegrityError as error:
        raise NotFound(f"Node '{node_uuid}' could not be found.") from error


async def add_trait(tx: Transaction, node_uuid: str, trait: str) -> None:
    """Give the node one more trait; nothing happens when it has it. Raises NotFound as ``set_traits``."""
    has = (await list_traits(tx, [node_uuid]))[node_uuid]
    if trait not in has:
        await set_traits(tx, node_uuid, [*has, trait])


async def remove_trait(tx: Transaction, node_uuid: str, trait: str) -> None:
    """Raises NotFound when the node does not have this trait."""
    done = await tx.execute(
        delete(NODE_TRAITS).where(_COLUMNS.node_uuid == node_uuid, _COLUMNS.trait == trait)
    )
    if done.rowcount == 0:
        raise NotFound(f"Node '{node_uuid}' does not have trait '{trait}'.")
