"""Firmware components of nodes."""

from sqlalchemy import Column, ForeignKey, Table

from bessemer.store.table.column import METADATA, TEXT, text

FIRMWARE_COMPONENTS = Table(
    "firmware_components",
    METADATA,
    Column(
        "node_uuid",
        TEXT,
        ForeignKey("nodes.uuid", name="fk_firmware_components_node_uuid", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("component", TEXT, primary_key=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("initial_version", is_required=True),
    text("current_version"),
    text("last_version_flashed"),
    text("vendor"),
    text("model"),
    text("serial_number"),
)
