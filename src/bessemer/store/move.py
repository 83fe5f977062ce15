"""Moving: everything in one database is copied into an empty one of another kind, and compared."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Table, func, insert, literal, select, text, tuple_

from bessemer.kernel.error import Conflict, InternalError
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.table import METADATA

#: Rows read and written at a time.
_BATCH = 500


async def move(source: Database, target: Database) -> dict[str, int]:
    """Copy every table of ``source`` into ``target``, in one transaction; how many rows each has. Nobody may
    be writing to either. All is copied or nothing.

    Raises:
        Conflict: The target is not empty.
        InternalError: What arrived is not what was sent.
        Unavailable: One of them went away.
    """
    counts = {}
    async with source.read() as reading, target.write() as writing:
        if writing.is_postgresql:  # it waits for the source, however long that takes
            await writing.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        for table in METADATA.sorted_tables:
            if (await writing.execute(select(func.count()).select_from(table))).scalar_one():
                raise Conflict(f"The database to move to is not empty: there are {table.name}.")
        for table in METADATA.sorted_tables:
            sent = Fingerprint()
            async for rows in _batches(reading, table):
                sent.add(rows)
                await writing.execute(insert(table), [dict(row._mapping) for row in rows])
            await _continue_numbers(writing, table)
            if await fingerprint(writing, table) != sent.value:
                raise InternalError(f"table '{table.name}' did not arrive as it was sent")
            counts[table.name] = sent.count
    return counts


class Fingerprint:
    """Number of rows, and a hash over all their values in their order."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[AnyRow]) -> None:
        self.count += len(rows)
        for row in rows:
            self._digest.update(repr(tuple(_plain(value) for value in row)).encode())

    @property
    def value(self) -> tuple[int, str]:
        return self.count, self._digest.hexdigest()


async def fingerprint(tx: Transaction, table: Table) -> tuple[int, str]:
    """Of all rows in the order of their keys."""
    found = Fingerprint()
    async for rows in _batches(tx, table):
        found.add(rows)
    return found.value


def _plain(value: Any) -> Any:
    """The same for both databases: one gives true, the other 1."""
    return int(value) if isinstance(value, bool) else value


async def _batches(tx: Transaction, table: Table) -> AsyncIterator[Sequence[AnyRow]]:
    """All rows by primary key, some at a time."""
    keys = list(table.primary_key.columns)
    every = select(table).order_by(*keys).limit(_BATCH)
    rows = (await tx.execute(every)).all()
    while rows:
        yield rows
        last = tuple_(*(literal(rows[-1]._mapping[key], key.type) for key in keys))
        rows = (await tx.execute(every.where(tuple_(*keys) > last))).all()


async def _continue_numbers(tx: Transaction, table: Table) -> None:
    """PostgreSQL counts by itself: let it go on behind the numbers that were copied."""
    if tx.is_postgresql and "id" in table.c:
        statement = (
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # noqa: S608  names of our own tables
            " HAVING max(id) IS NOT NULL"
        )
        await tx.execute(text(statement))
