"""Volume targets: create, look up, change, list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.volume import VolumeTarget
from bessemer.kernel.error import NotFound
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows, of_nodes
from bessemer.store.page import Page
from bessemer.store.sealed import SealedMapper
from bessemer.store.table import VOLUME_TARGETS

TARGET = SealedMapper(
    VolumeTarget, VOLUME_TARGETS, json_fields=("properties", "extra"), secrets={"properties": frozenset()}
)
_COLUMNS = VOLUME_TARGETS.c
_BY_UUID = TARGET.select().where(_COLUMNS.uuid == bindparam("key"))
_OF_NODE = TARGET.select().where(_COLUMNS.node_uuid == bindparam("key")).order_by(_COLUMNS.boot_index)
_UPDATE = update(VOLUME_TARGETS).where(_COLUMNS.uuid == bindparam("key")).returning(*TARGET.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeTargetFilter:
    """Which volume targets to list: those that fulfil everything given. None asks nothing."""

    node_uuid: str | None = None
    #: Owner or lessee of the target's node.
    project: str | None = None


async def create_volume_target(tx: Transaction, target: VolumeTarget) -> VolumeTarget:
    """Store a new volume target.

    Raises:
        Duplicate: Its uuid is taken, or another target of the node has its boot_index.
        NotFound: Its node does not exist.
    """
    tx.note_change("volume_target", target.uuid)
    row = TARGET.to_row(tx, target)
    try:
        await tx.execute(insert(VOLUME_TARGETS), row)
    except IntegrityError as error:
        raise conflict(error, VOLUME_TARGETS, "volume target", row) from error
    return target


async def get_volume_target(tx: Transaction, uuid: str) -> VolumeTarget:
    """Raises NotFound when there is no such volume target."""
    row = (await tx.execute(_BY_UUID, {"key": uuid.lower()})).first()
    if row is None:
        raise NotFound(f"Volume target '{uuid}' could not be found.")
    return TARGET.to_record(tx, row)


async def update_volume_target(tx: Transaction, uuid: str, **changes: Any) -> VolumeTarget:
    """Change fields (named as in ``VolumeTarget``) and ``updated_at``; the target as it is then.

    Raises:
        NotFound: There is no such volume target, or the node it is moved to does not exist.
        Duplicate: Another target of the node has this boot_index.
    """
    tx.note_change("volume_target", uuid)
    values = TARGET.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, VOLUME_TARGETS, "volume target", changes) from error
    if row is None:
        raise NotFound(f"Volume target '{uuid}' could not be found.")
    return TARGET.to_record(tx, row)


async def delete_volume_target(tx: Transaction, uuid: str) -> None:
    """Raises NotFound when there is no such volume target."""
    tx.note_change("volume_target", uuid)
    done = await tx.execute(delete(VOLUME_TARGETS).where(_COLUMNS.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Volume target '{uuid}' could not be found.")


async def list_volume_targets_of(tx: Transaction, node_uuid: str) -> list[VolumeTarget]:
    """All volume targets of one node by ``boot_index``: the volume to boot from comes first."""
    return [TARGET.to_record(tx, row) for row in await tx.execute(_OF_NODE, {"key": node_uuid})]


async def delete_volume_targets_of(tx: Transaction, node_uuid: str) -> int:
    """Delete all volume targets of one node, as its tear-down does; how many those were. Idempotent."""
    return (await tx.execute(delete(VOLUME_TARGETS).where(_COLUMNS.node_uuid == node_uuid))).rowcount


async def list_volume_target_rows(
    tx: Transaction, fields: Sequence[str], filters: VolumeTargetFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of volume targets as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that volume targets do not have.
        NotFound: The marker does not exist.
    """
    visible = of_nodes(_COLUMNS.node_uuid, project=filters.project)
    conditions = [] if filters.node_uuid is None else [_COLUMNS.node_uuid == filters.node_uuid]
    return await list_rows(tx, VOLUME_TARGETS, "Volume targets", fields, page, *conditions, visible=visible)
