"""Ports."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

PORTS = Table(
    "ports",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("address", is_required=True),
    text(
        "node_uuid",
        ForeignKey("nodes.uuid", name="fk_ports_node_uuid", ondelete="CASCADE"),
        is_required=True,
    ),
    text("created_at", is_required=True),
    text("updated_at"),
    text("name"),
    text("description"),
    # Checked when a statement ends: deleting a node takes its ports and its port groups at once.
    text("portgroup_uuid", ForeignKey("portgroups.uuid", name="fk_ports_portgroup_uuid")),
    Column("pxe_enabled", Boolean, nullable=False),
    text("physical_network"),
    Column("is_smartnic", Boolean, nullable=False),
    text("vendor"),
    text("category"),
    Column("available_for_dynamic_portgroup", Boolean, nullable=False),
    json("extra"),
    json("internal_info"),
    json("local_link_connection"),
    UniqueConstraint("uuid"),
    UniqueConstraint("address"),
    UniqueConstraint("name"),
    CheckConstraint("address = lower(address)", name="address_lower_case"),
    Index(None, "node_uuid"),
    Index(None, "portgroup_uuid"),
)
