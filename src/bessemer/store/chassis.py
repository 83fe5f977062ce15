"""Chassis: create, look up, change, list."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.chassis import Chassis
from bessemer.kernel.error import Conflict, NotFound
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows
from bessemer.store.page import Page
from bessemer.store.record import Mapper
from bessemer.store.table import CHASSIS

_CHASSIS = Mapper(Chassis, CHASSIS, json_fields=("extra",))
_BY_UUID = _CHASSIS.select().where(CHASSIS.c.uuid == bindparam("key"))
# Nodes may be put into a chassis while it is changed.
_BY_UUID_LOCKED = _BY_UUID.with_for_update(key_share=True)
_UPDATE = update(CHASSIS).where(CHASSIS.c.uuid == bindparam("key")).returning(*_CHASSIS.columns)


async def create_chassis(tx: Transaction, chassis: Chassis) -> Chassis:
    """Store a new chassis. Raises Duplicate when its uuid is taken."""
    tx.note_change("chassis", chassis.uuid)
    row = _CHASSIS.to_row(chassis)
    try:
        await tx.execute(insert(CHASSIS), row)
    except IntegrityError as error:
        raise conflict(error, CHASSIS, "chassis", row) from error
    return chassis


async def get_chassis(tx: Transaction, uuid: str, *, lock: bool = False) -> Chassis:
    """``lock`` keeps others from changing it until this transaction ends. Raises NotFound."""
    row = (await tx.execute(_BY_UUID_LOCKED if lock else _BY_UUID, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Chassis '{uuid}' could not be found.")
    return _CHASSIS.to_record(row)


async def update_chassis(tx: Transaction, uuid: str, /, **changes: Any) -> Chassis:
    """Change fields and ``updated_at``; nodes follow when its uuid changes.

    Raises:
        NotFound: There is no such chassis.
        Duplicate: The new uuid is taken.
    """
    tx.note_change("chassis", uuid)
    values = _CHASSIS.encode({"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, CHASSIS, "chassis", changes) from error
    if row is None:
        raise NotFound(f"Chassis '{uuid}' could not be found.")
    return _CHASSIS.to_record(row)


async def delete_chassis(tx: Transaction, uuid: str) -> None:
    """Delete an empty chassis.

    Raises:
        NotFound: There is no such chassis.
        Conflict: Nodes are in it.
    """
    tx.note_change("chassis", uuid)
    try:
        done = await tx.execute(delete(CHASSIS).where(CHASSIS.c.uuid == uuid))
    except IntegrityError as error:
        raise Conflict(f"Chassis '{uuid}' still has nodes.") from error
    if done.rowcount == 0:
        raise NotFound(f"Chassis '{uuid}' could not be found.")


async def list_chassis_rows(tx: Transaction, fields: Sequence[str], page: Page) -> list[AnyRow]:
    """``fields`` of chassis as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that chassis do not have.
        NotFound: The marker does not exist.
    """
    return await list_rows(tx, CHASSIS, "Chassis", fields, page)
