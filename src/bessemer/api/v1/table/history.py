"""The history of a node. Source: v1 contract, fields of ``history_event``."""

from bessemer.api.v1.table.field import Field, Kind, Param, Table, page_only

SINCE = 78

HISTORY = Table("history event", "history", "nodes/{node}/history", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True),
    Field(name="created_at", kind=Kind.TIMESTAMP, is_listed=True),
    Field(name="severity", kind=Kind.STRING, is_listed=True),
    Field(name="event", kind=Kind.STRING, is_listed=True),
    Field(name="event_type", kind=Kind.STRING),
    Field(name="user", kind=Kind.STRING, is_nullable=True),
    Field(name="conductor", kind=Kind.STRING),
    Field(name="project", kind=Kind.STRING, since=113, is_nullable=True),
    Field(name="state", kind=Kind.STRING, since=115, is_nullable=True),
    Field(name="target_provision_state", kind=Kind.STRING, since=115, is_nullable=True),
    Field(name="duration_seconds", kind=Kind.INTEGER, since=115, is_nullable=True),
), has_bookmark=False)  # fmt: skip

LIST = (Param("detail", Kind.BOOLEAN), *page_only())
