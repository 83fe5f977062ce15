"""Runbooks: create, look up, change, list. Their traits are in ``runbook_trait``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.runbook import Runbook
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows
from bessemer.store.page import Page
from bessemer.store.record import decode_json
from bessemer.store.sealed import SealedMapper
from bessemer.store.table import RUNBOOKS

RUNBOOK = SealedMapper(
    Runbook,
    RUNBOOKS,
    json_fields=("steps", "extra"),
    secrets={"steps": frozenset()},
    decoders={"steps": lambda text: tuple(decode_json(text))},
)
_BY_UUID = RUNBOOK.select().where(RUNBOOKS.c.uuid == bindparam("key"))
_BY_UUID_LOCKED = _BY_UUID.with_for_update()
_BY_NAME = RUNBOOK.select().where(RUNBOOKS.c.name == bindparam("key"))
_UPDATE = update(RUNBOOKS).where(RUNBOOKS.c.uuid == bindparam("key")).returning(*RUNBOOK.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookFilter:
    """Which runbooks to list: those that fulfil everything given. None asks nothing."""

    #: A project: what it owns, and what is public.
    visible_to: str | None = None
    owner: str | None = None


async def create_runbook(tx: Transaction, runbook: Runbook) -> Runbook:
    """Store a new runbook.

    Raises:
        Duplicate: Its uuid or name is taken.
        InvalidValue: It is public and has an owner.
    """
    tx.note_change("runbook", runbook.uuid)
    row = RUNBOOK.to_row(tx, runbook)
    try:
        await tx.execute(insert(RUNBOOKS), row)
    except IntegrityError as error:
        raise conflict(error, RUNBOOKS, "runbook", row) from error
    return runbook


async def get_runbook(tx: Transaction, uuid: str, *, lock: bool = False) -> Runbook:
    """The runbook. ``lock`` keeps others from changing it until this transaction ends. Raises NotFound."""
    runbook = await _find(tx, _BY_UUID_LOCKED if lock else _BY_UUID, uuid)
    if runbook is None:
        raise NotFound(f"Runbook '{uuid}' could not be found.")
    return runbook


async def find_runbook(tx: Transaction, ident: str) -> Runbook | None:
    """The runbook with this UUID, or else with this name."""
    runbook = await _find(tx, _BY_UUID, ident.lower()) if is_uuid(ident) else None
    return runbook or await _find(tx, _BY_NAME, ident)


async def update_runbook(tx: Transaction, uuid: str, **changes: Any) -> Runbook:
    """Change fields (named as in ``Runbook``) and ``updated_at``; the runbook as it is then.

    Raises:
        NotFound: There is no such runbook.
        Duplicate: The name is taken.
        InvalidValue: It would be public and have an owner.
    """
    tx.note_change("runbook", uuid)
    values = RUNBOOK.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, RUNBOOKS, "runbook", changes) from error
    if row is None:
        raise NotFound(f"Runbook '{uuid}' could not be found.")
    return RUNBOOK.to_record(tx, row)


async def delete_runbook(tx: Transaction, uuid: str) -> None:
    """Delete the runbook with its traits. Raises NotFound when there is no such runbook."""
    tx.note_change("runbook", uuid)
    done = await tx.execute(delete(RUNBOOKS).where(RUNBOOKS.c.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Runbook '{uuid}' could not be found.")


async def list_runbook_rows(
    tx: Transaction, fields: Sequence[str], filters: RunbookFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of runbooks as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that runbooks do not have.
        NotFound: The marker does not exist.
    """
    project, runbook = filters.visible_to, RUNBOOKS.c
    visible = [] if project is None else [or_(runbook.owner == project, runbook.public.is_(True))]
    found = [] if filters.owner is None else [runbook.owner == filters.owner]
    return await list_rows(tx, RUNBOOKS, "Runbooks", fields, page, *found, visible=visible)


async def _find(tx: Transaction, statement: Any, key: str) -> Runbook | None:
    row = (await tx.execute(statement, {"key": key})).first()
    return None if row is None else RUNBOOK.to_record(tx, row)
