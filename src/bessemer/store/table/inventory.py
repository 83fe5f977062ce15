"""Inventories: what inspection found in a node."""

from sqlalchemy import Column, ForeignKey, Table

from bessemer.store.table.column import METADATA, TEXT, json, text

INVENTORIES = Table(
    "inventories",
    METADATA,
    Column(
        "node_uuid",
        TEXT,
        ForeignKey("nodes.uuid", name="fk_inventories_node_uuid", ondelete="CASCADE"),
        primary_key=True,
    ),
    json("inventory"),
    json("plugin_data"),
    text("created_at", is_required=True),
    text("updated_at"),
)
