"""Readings: named facts about a node that are replaced whenever they are read from it again."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.store.database import Transaction
from bessemer.store.record import Mapper
from bessemer.store.statement import Statement

_OURS = frozenset({"node_uuid", "created_at", "updated_at"})


async def put_readings(
    tx: Transaction,
    mapper: Mapper[Any],
    node_uuid: str,
    facts: Iterable[Mapping[str, Any]],
    *,
    key: str,
    noun: str,
    lasting: Collection[str] = (),
) -> None:
    """Make the rows of the node those of ``facts``, which are told apart by their field ``key``.

    New ones are inserted, changed ones updated (but for the ``lasting`` fields), absent ones deleted, and the
    others left alone with their times. Of a name that comes twice the last one counts.

    Raises:
        InvalidValue: A fact without its ``key``, with an unknown field, or without something it needs.
        NotFound: There is no such node.
    """
    table = mapper.table
    wanted = {_name(mapper, key, noun, fact): mapper.encode(fact) for fact in facts}
    found = await tx.execute(_of_node(mapper), {"key": node_uuid})
    rows = [dict(zip(mapper.fields, row, strict=True)) for row in found]
    present = {row[key]: row for row in rows}
    gone = [name for name in present if name not in wanted]
    if gone:
        await tx.execute(delete(table).where(table.c.node_uuid == node_uuid, table.c[key].in_(gone)))
    for name, row in present.items():
        changes = {
            field: value
            for field, value in wanted.get(name, {}).items()
            if field not in lasting and row[field] != value
        }
        if changes:
            where = (table.c.node_uuid == node_uuid, table.c[key] == name)
            await tx.execute(update(table).where(*where).values(updated_at=tx.now(), **changes))
    new = [fact for name, fact in wanted.items() if name not in present]
    await _insert(tx, mapper, node_uuid, noun, new)


@lru_cache
def _of_node(mapper: Mapper[Any]) -> Statement:
    return Statement(mapper.select().where(mapper.table.c.node_uuid == bindparam("key")))


def _name(mapper: Mapper[Any], key: str, noun: str, fact: Mapping[str, Any]) -> str:
    unknown = sorted(fact.keys() - (set(mapper.fields) - _OURS))
    if unknown:
        raise InvalidValue(f"A {noun} has no '{unknown[0]}'.")
    name = fact.get(key)
    if not isinstance(name, str) or not name:
        raise InvalidValue(f"A {noun} lacks its '{key}'.")
    return name


async def _insert(
    tx: Transaction, mapper: Mapper[Any], node_uuid: str, noun: str, facts: list[dict[str, Any]]
) -> None:
    if not facts:
        return
    empty = dict.fromkeys(mapper.fields)
    rows = [{**empty, "node_uuid": node_uuid, "created_at": tx.now(), **fact} for fact in facts]
    missing = [c.name for c in mapper.columns if not c.nullable and any(row[c.name] is None for row in rows)]
    if missing:
        raise InvalidValue(f"A {noun} lacks its '{missing[0]}'.")
    try:
        await tx.execute(insert(mapper.table), rows)
    except IntegrityError as error:
        raise NotFound(f"Node '{node_uuid}' could not be found.") from error
