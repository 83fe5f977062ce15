"""Subscriptions of ours at BMCs. One outlives its node: somebody has to take it away at the BMC."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from bessemer.store.table.column import METADATA, json, key, text

EVENT_SUBSCRIPTIONS = Table(
    "event_subscriptions",
    METADATA,
    key(),
    text("uuid", is_required=True),
    # The database itself notes that the node is gone, whichever release deletes it.
    text("node_uuid", ForeignKey("nodes.uuid", name="fk_event_subscriptions_node_uuid", ondelete="SET NULL")),
    text("conductor_group", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("path", is_required=True),
    text("context", is_required=True),
    json("access"),
    text("tested_at"),
    text("heard_at"),
    text("next_due_at", is_required=True),
    Column("failures", Integer, nullable=False),
    UniqueConstraint("uuid"),
    UniqueConstraint("node_uuid"),
    # What is to be taken away: those without a node, of a group, when they are due.
    Index("ix_event_subscriptions_left", "node_uuid", "conductor_group", "next_due_at"),
)
