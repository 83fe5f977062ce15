"""Deploy templates. Their steps are read and written as a whole, so they are one document."""

from sqlalchemy import Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

DEPLOY_TEMPLATES = Table(
    "deploy_templates",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("name", is_required=True),
    json("steps", default="[]"),
    json("extra"),
    UniqueConstraint("uuid"),
    UniqueConstraint("name"),
)
