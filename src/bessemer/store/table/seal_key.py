"""Keys that something in this database is sealed with, by their names only."""

from sqlalchemy import Table, UniqueConstraint

from bessemer.store.table.column import METADATA, key, text

SEAL_KEYS = Table(
    "seal_keys",
    METADATA,
    key(),
    text("name", is_required=True),
    text("created_at", is_required=True),
    UniqueConstraint("name"),
)
