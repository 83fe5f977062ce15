"""Volume connectors and volume targets."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

VOLUME_CONNECTORS = Table(
    "volume_connectors",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text(
        "node_uuid",
        ForeignKey("nodes.uuid", name="fk_volume_connectors_node_uuid", ondelete="CASCADE"),
        is_required=True,
    ),
    text("created_at", is_required=True),
    text("updated_at"),
    text("type", is_required=True),
    text("connector_id", is_required=True),
    json("extra"),
    UniqueConstraint("uuid"),
    UniqueConstraint("type", "connector_id"),
    Index(None, "node_uuid"),
)

VOLUME_TARGETS = Table(
    "volume_targets",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text(
        "node_uuid",
        ForeignKey("nodes.uuid", name="fk_volume_targets_node_uuid", ondelete="CASCADE"),
        is_required=True,
    ),
    text("created_at", is_required=True),
    text("updated_at"),
    text("volume_type", is_required=True),
    Column("boot_index", Integer, nullable=False),
    text("volume_id", is_required=True),
    json("properties"),
    json("extra"),
    UniqueConstraint("uuid"),
    UniqueConstraint("node_uuid", "boot_index"),
)
