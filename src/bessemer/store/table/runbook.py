"""Runbooks and their traits. Steps are read and written as a whole, so they are one document."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint

from bessemer.store.table.column import METADATA, TEXT, json, key, text

RUNBOOKS = Table(
    "runbooks",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("name", is_required=True),
    text("description"),
    json("steps", default="[]"),
    Column("disable_ramdisk", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    text("owner"),
    json("extra"),
    UniqueConstraint("uuid"),
    UniqueConstraint("name"),
    CheckConstraint("NOT public OR owner IS NULL", name="public_has_no_owner"),
    Index(None, "owner"),
    Index(None, "public"),
)

RUNBOOK_TRAITS = Table(
    "runbook_traits",
    METADATA,
    Column(
        "runbook_uuid",
        TEXT,
        ForeignKey("runbooks.uuid", name="fk_runbook_traits_runbook_uuid", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("trait", TEXT, primary_key=True),
)
