"""Allocations."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Table, UniqueConstraint

from bessemer.domain.allocation import AllocationState
from bessemer.store.table.column import METADATA, json, key, one_of, text

ALLOCATIONS = Table(
    "allocations",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text("created_at", is_required=True),
    text("updated_at"),
    text("name"),
    text("resource_class"),
    json("traits", default="[]"),
    json("candidate_nodes", default="[]"),
    text("node_uuid", ForeignKey("nodes.uuid", name="fk_allocations_node_uuid", ondelete="CASCADE")),
    text("state", is_required=True),
    text("last_error"),
    json("extra"),
    text("owner"),
    UniqueConstraint("uuid"),
    UniqueConstraint("name"),
    # That no node is ever given twice does not depend on any code being right.
    UniqueConstraint("node_uuid"),
    one_of("state", AllocationState),
    CheckConstraint("(state = 'active') = (node_uuid IS NOT NULL)", name="active_has_node"),
    CheckConstraint("state <> 'error' OR last_error IS NOT NULL", name="error_has_reason"),
    Index(None, "resource_class", "id"),
    Index(None, "state", "id"),
    Index(None, "owner", "id"),
)
