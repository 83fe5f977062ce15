"""The journal: what each step of an operation did, and when."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select

from bessemer.domain.operation import JournalEntry, JournalEvent
from bessemer.store.database import Transaction
from bessemer.store.record import Mapper
from bessemer.store.statement import Statement
from bessemer.store.table import JOURNAL

_ENTRY = Mapper(JournalEntry, JOURNAL, decoders={"event": JournalEvent})
_OF_OPERATION = Statement(
    _ENTRY.select().where(JOURNAL.c.operation_uuid == bindparam("key")).order_by(JOURNAL.c.id)
)
_INSERT = Statement(insert(JOURNAL))
_BEGUN = Statement(
    select(JOURNAL.c.position)
    .distinct()
    .where(JOURNAL.c.operation_uuid == bindparam("key"), JOURNAL.c.event == JournalEvent.STARTED)
    .order_by(JOURNAL.c.position)
)


_SAME = Statement(
    select(JOURNAL.c.id).where(
        JOURNAL.c.operation_uuid == bindparam("key"),
        JOURNAL.c.at == bindparam("then"),
        JOURNAL.c.event == bindparam("what"),
        JOURNAL.c.position == bindparam("place"),
        JOURNAL.c.fence == bindparam("held"),
    )
)


async def add_entry(tx: Transaction, entry: JournalEntry) -> None:
    await add_entries(tx, [entry])


async def add_entries(tx: Transaction, entries: Sequence[JournalEntry]) -> None:
    """Write ``entries`` in this order. Entries are never changed."""
    if entries:
        await tx.execute(_INSERT, [_ENTRY.to_row(entry) for entry in entries])


async def has_entry(tx: Transaction, entry: JournalEntry) -> bool:
    """Whether this very entry was written."""
    values = {
        "key": entry.operation_uuid,
        "then": entry.at,
        "what": entry.event.value,
        "place": entry.position,
        "held": entry.fence,
    }
    return (await tx.execute(_SAME, values)).first() is not None


async def list_entries(tx: Transaction, operation_uuid: str) -> list[JournalEntry]:
    """The whole journal of one operation, first to last."""
    return [_ENTRY.to_record(row) for row in await tx.execute(_OF_OPERATION, {"key": operation_uuid})]


async def list_begun(tx: Transaction, operation_uuid: str) -> list[int]:
    """Positions of the steps that were begun, rising."""
    return list((await tx.execute(_BEGUN, {"key": operation_uuid})).scalars())
