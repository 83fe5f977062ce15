"""BIOS settings of nodes."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table

from bessemer.store.table.column import METADATA, TEXT, json, text

BIOS_SETTINGS = Table(
    "bios_settings",
    METADATA,
    Column(
        "node_uuid",
        TEXT,
        ForeignKey("nodes.uuid", name="fk_bios_settings_node_uuid", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("name", TEXT, primary_key=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("value"),
    text("attribute_type"),
    json("allowable_values", default=None),
    Column("lower_bound", Integer),
    Column("upper_bound", Integer),
    Column("min_length", Integer),
    Column("max_length", Integer),
    Column("read_only", Boolean),
    Column("reset_required", Boolean),
    Column("unique", Boolean),
)
