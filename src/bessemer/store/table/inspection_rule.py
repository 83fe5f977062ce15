"""Inspection rules."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint

from bessemer.domain.inspection.rule import PHASES
from bessemer.store.table.column import METADATA, json, key, one_of, text

INSPECTION_RULES = Table(
    "inspection_rules",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("description"),
    Column("priority", Integer, nullable=False),
    text("phase", is_required=True),
    Column("sensitive", Boolean, nullable=False),
    json("conditions", default="[]"),
    json("actions", default="[]"),
    UniqueConstraint("uuid"),
    one_of("phase", PHASES),
    Index(None, "phase"),
)
