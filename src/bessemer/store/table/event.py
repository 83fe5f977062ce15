"""Events: what happened, as the outbox of notifications and as the history of a node."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, Index, Table, UniqueConstraint
from sqlalchemy import text as sql

from bessemer.store.table.column import METADATA, json, key, one_of, text

EVENTS = Table(
    "events",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    # Not a foreign key: that a node was deleted is an event too, and it outlives the node.
    text("node_uuid"),
    text("kind", is_required=True),
    text("severity", is_required=True),
    text("message", is_required=True),
    text("conductor", is_required=True),
    text("user"),
    text("project"),
    text("state"),
    text("target_state"),
    Column("duration_s", Float),
    json("payload"),
    Column("in_history", Boolean, nullable=False),
    UniqueConstraint("uuid"),
    one_of("severity", ("INFO", "ERROR")),
    CheckConstraint("node_uuid IS NOT NULL OR NOT in_history", name="history_has_node"),
    Index(None, "node_uuid", "id"),
    # What is in no history goes when it is old.
    Index(
        "ix_events_passing",
        "created_at",
        sqlite_where=sql("in_history = 0"),
        postgresql_where=sql("NOT in_history"),
    ),
    # Readers of the outbox remember the last number they saw: a number must never come twice.
    sqlite_autoincrement=True,
)
