"""Sealing everything anew with the present key: in small transactions, beside whatever else is at work.

Rows that are sealed with it already are left alone, so that a pass that was cut short is simply begun again.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from bessemer.kernel.seal import PREFIX
from bessemer.store import (
    deploy_template,
    event_subscription,
    inspection_rule,
    node,
    operation,
    runbook,
    volume_target,
)
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.sealed import SealedMapper

#: Everything with secrets in it.
MAPPERS: tuple[SealedMapper[Any], ...] = (
    node.NODE,
    volume_target.TARGET,
    operation.OPERATION,
    deploy_template.TEMPLATE,
    runbook.RUNBOOK,
    inspection_rule.RULE,
    event_subscription.SUBSCRIPTION,
)
_BATCH = 50
_SEALED = re.compile(re.escape(PREFIX) + "([0-9a-f]+):")


async def reseal_all(database: Database) -> int:
    """One pass over everything; how many rows were changed. Idempotent. Rows that somebody else holds at that
    moment are passed over: look with ``count_stale`` and call it again.

    Raises:
        SealBroken: A secret does not open; what was sealed anew before it stays so.
    """
    changed = 0
    for mapper in MAPPERS:
        after = 0
        while True:
            async with database.write() as tx:
                rows = (await tx.execute(_batch(mapper, after).with_for_update(skip_locked=True))).all()
                for row in rows:
                    changed += await _reseal(tx, mapper, row)
            if not rows:
                break
            after = rows[-1][0]
    return changed


async def count_stale(database: Database) -> int:
    """How many rows hold a secret that is not sealed with the present key. Raises SealBroken."""
    count = 0
    async with aclosing(_every_row(database)) as rows:
        async for mapper, row, tx in rows:
            count += bool(_changes(tx, mapper, row))
    return count


async def list_key_names_in_use(database: Database) -> set[str]:
    """Names of the keys that something is sealed with."""
    names: set[str] = set()
    async with aclosing(_every_row(database)) as rows:
        async for _, row, _ in rows:
            for text in row[2:]:
                names.update(_SEALED.findall(text or ""))
    return names


async def _every_row(
    database: Database,
) -> AsyncGenerator[tuple[SealedMapper[Any], AnyRow, Transaction]]:
    for mapper in MAPPERS:
        after = 0
        while True:
            async with database.read() as tx:
                rows = (await tx.execute(_batch(mapper, after))).all()
                for row in rows:
                    yield mapper, row, tx
            if not rows:
                break
            after = rows[-1][0]


def _batch(mapper: SealedMapper[Any], after: int) -> Select[Any]:
    columns = mapper.table.c
    documents = [columns[field] for field in mapper.sealed_fields]
    return (
        select(columns.id, columns.uuid, *documents)
        .where(columns.id > after)
        .order_by(columns.id)
        .limit(_BATCH)
    )


def _changes(tx: Transaction, mapper: SealedMapper[Any], row: AnyRow) -> dict[str, str]:
    """The documents of the row that are to be written anew."""
    held = zip(mapper.sealed_fields, row[2:], strict=True)
    anew = {field: (text, mapper.sealed_anew(tx, row[1], field, text)) for field, text in held if text}
    return {field: after for field, (before, after) in anew.items() if before != after}


async def _reseal(tx: Transaction, mapper: SealedMapper[Any], row: AnyRow) -> bool:
    changes = _changes(tx, mapper, row)
    if changes:
        await tx.execute(
            update(mapper.table).where(mapper.table.c.id == bindparam("key")), {"key": row[0], **changes}
        )
    return bool(changes)
