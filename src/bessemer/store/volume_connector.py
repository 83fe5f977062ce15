"""Volume connectors: create, look up, change, list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.volume import VolumeConnector
from bessemer.kernel.error import NotFound
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows, of_nodes
from bessemer.store.page import Page
from bessemer.store.record import Mapper
from bessemer.store.table import VOLUME_CONNECTORS

_CONNECTOR = Mapper(VolumeConnector, VOLUME_CONNECTORS, json_fields=("extra",))
_COLUMNS = VOLUME_CONNECTORS.c
_BY_UUID = _CONNECTOR.select().where(_COLUMNS.uuid == bindparam("key"))
_OF_NODE = _CONNECTOR.select().where(_COLUMNS.node_uuid == bindparam("key")).order_by(_COLUMNS.id)
_UPDATE = (
    update(VOLUME_CONNECTORS).where(_COLUMNS.uuid == bindparam("key")).returning(*_CONNECTOR.columns)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeConnectorFilter:
    """Which volume connectors to list: those that fulfil everything given. None asks nothing."""

    node_uuid: str | None = None
    #: Owner or lessee of the connector's node.
    project: str | None = None


async def create_volume_connector(tx: Transaction, connector: VolumeConnector) -> VolumeConnector:
    """Store a new volume connector.

    Raises:
        Duplicate: Its uuid is taken, or its type and connector_id together are.
        NotFound: Its node does not exist.
    """
    tx.note_change("volume_connector", connector.uuid)
    row = _CONNECTOR.to_row(connector)
    try:
        await tx.execute(insert(VOLUME_CONNECTORS), row)
    except IntegrityError as error:
        raise conflict(error, VOLUME_CONNECTORS, "volume connector", row) from error
    return connector


async def get_volume_connector(tx: Transaction, uuid: str) -> VolumeConnector:
    """Raises NotFound when there is no such volume connector."""
    row = (await tx.execute(_BY_UUID, {"key": uuid.lower()})).first()
    if row is None:
        raise NotFound(f"Volume connector '{uuid}' could not be found.")
    return _CONNECTOR.to_record(row)


async def update_volume_connector(tx: Transaction, uuid: str, **changes: Any) -> VolumeConnector:
    """Change fields (named as in ``VolumeConnector``) and ``updated_at``; the connector as it is then.

    Raises:
        NotFound: There is no such volume connector, or the node it is moved to does not exist.
        Duplicate: The type and connector_id together are taken.
    """
    tx.note_change("volume_connector", uuid)
    values = _CONNECTOR.encode({"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, VOLUME_CONNECTORS, "volume connector", changes) from error
    if row is None:
        raise NotFound(f"Volume connector '{uuid}' could not be found.")
    return _CONNECTOR.to_record(row)


async def delete_volume_connector(tx: Transaction, uuid: str) -> None:
    """Raises NotFound when there is no such volume connector."""
    tx.note_change("volume_connector", uuid)
    done = await tx.execute(delete(VOLUME_CONNECTORS).where(_COLUMNS.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Volume connector '{uuid}' could not be found.")


async def list_volume_connectors_of(tx: Transaction, node_uuid: str) -> list[VolumeConnector]:
    """All volume connectors of one node, oldest first."""
    return [_CONNECTOR.to_record(row) for row in await tx.execute(_OF_NODE, {"key": node_uuid})]


async def list_volume_connector_rows(
    tx: Transaction, fields: Sequence[str], filters: VolumeConnectorFilter, page: Page
) -> list[AnyRow]:
    """``fields`` of volume connectors as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that volume connectors do not have.
        NotFound: The marker does not exist.
    """
    visible = of_nodes(_COLUMNS.node_uuid, project=filters.project)
    conditions = [] if filters.node_uuid is None else [_COLUMNS.node_uuid == filters.node_uuid]
    return await list_rows(
        tx, VOLUME_CONNECTORS, "Volume connectors", fields, page, *conditions, visible=visible
    )
