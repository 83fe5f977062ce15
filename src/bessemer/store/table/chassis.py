"""Chassis."""

from sqlalchemy import Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

CHASSIS = Table(
    "chassis",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("description"),
    json("extra"),
    UniqueConstraint("uuid"),
)
