"""Conductors and the hardware interfaces each of them offers."""

from sqlalchemy import Boolean, Column, ForeignKey, Table, UniqueConstraint

from bessemer.domain.interface import InterfaceType
from bessemer.store.table.column import METADATA, TEXT, json, key, one_of, text

CONDUCTORS = Table(
    "conductors",
    METADATA,
    key(),
    text("hostname", is_required=True),
    text("incarnation", is_required=True),
    text("conductor_group", is_required=True),
    json("drivers", default="[]"),
    Column("is_online", Boolean, nullable=False),
    text("created_at", is_required=True),
    text("updated_at", is_required=True),
    # Until when it owns what it claimed: much shorter than what the API calls alive.
    text("lease_until"),
    text("version", is_required=True, default=""),
    # Kinds and versions of operations that it can carry out.
    json("kinds", default="[]"),
    UniqueConstraint("hostname"),
    UniqueConstraint("incarnation"),
)

CONDUCTOR_INTERFACES = Table(
    "conductor_interfaces",
    METADATA,
    Column(
        "hostname",
        TEXT,
        ForeignKey("conductors.hostname", name="fk_conductor_interfaces_hostname", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("hardware_type", TEXT, primary_key=True),
    Column("interface_type", TEXT, primary_key=True),
    Column("interface_name", TEXT, primary_key=True),
    Column("is_default", Boolean, nullable=False),
    one_of("interface_type", InterfaceType),
)
