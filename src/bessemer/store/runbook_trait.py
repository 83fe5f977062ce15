"""Traits of runbooks: a set of names each."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from bessemer.kernel.error import NotFound
from bessemer.store.database import Transaction
from bessemer.store.record import storable
from bessemer.store.table import RUNBOOK_TRAITS

_COLUMNS = RUNBOOK_TRAITS.c


async def list_runbook_traits(tx: Transaction, runbook_uuids: Sequence[str]) -> dict[str, list[str]]:
    """The traits of each of these runbooks, in order of name; a runbook without any has an empty list."""
    found: dict[str, list[str]] = {uuid: [] for uuid in runbook_uuids}
    statement = select(_COLUMNS.runbook_uuid, _COLUMNS.trait).where(_COLUMNS.runbook_uuid.in_(runbook_uuids))
    for uuid, trait in await tx.execute(statement.order_by(_COLUMNS.trait)):
        found[uuid].append(trait)
    return found


async def set_runbook_traits(tx: Transaction, runbook_uuid: str, traits: Iterable[str]) -> None:
    """Give the runbook these traits and no others. Raises NotFound when there is no such runbook."""
    await tx.execute(delete(RUNBOOK_TRAITS).where(_COLUMNS.runbook_uuid == runbook_uuid))
    rows = [
        {"runbook_uuid": runbook_uuid, "trait": storable(trait, "trait")} for trait in sorted(set(traits))
    ]  # fmt: skip
    if not rows:
        return
    try:
        await tx.execute(insert(RUNBOOK_TRAITS), rows)
    except IntegrityError as error:
        raise NotFound(f"Runbook '{runbook_uuid}' could not be found.") from error


async def add_runbook_trait(tx: Transaction, runbook_uuid: str, trait: str) -> None:
    """Give the runbook one more trait; nothing happens when it has it. Raises as ``set_runbook_traits``."""
    has = (await list_runbook_traits(tx, [runbook_uuid]))[runbook_uuid]
    if trait not in has:
        await set_runbook_traits(tx, runbook_uuid, [*has, trait])


async def remove_runbook_trait(tx: Transaction, runbook_uuid: str, trait: str) -> None:
    """Nothing happens when the runbook does not have this trait."""
    await tx.execute(
        delete(RUNBOOK_TRAITS).where(_COLUMNS.runbook_uuid == runbook_uuid, _COLUMNS.trait == trait)
    )
