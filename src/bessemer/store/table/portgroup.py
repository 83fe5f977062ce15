"""Port groups."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

PORTGROUPS = Table(
    "portgroups",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text(
        "node_uuid",
        ForeignKey("nodes.uuid", name="fk_portgroups_node_uuid", ondelete="CASCADE"),
        is_required=True,
    ),
    text("created_at", is_required=True),
    text("updated_at"),
    text("name"),
    text("address"),
    text("mode", is_required=True),
    Column("standalone_ports_supported", Boolean, nullable=False),
    text("physical_network"),
    text("category"),
    Column("dynamic_portgroup", Boolean, nullable=False),
    json("properties"),
    json("extra"),
    json("internal_info"),
    UniqueConstraint("uuid"),
    UniqueConstraint("name"),
    UniqueConstraint("address"),
    CheckConstraint("address = lower(address)", name="address_lower_case"),
    Index(None, "node_uuid"),
)
