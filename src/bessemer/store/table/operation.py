"""Operations and their journal."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy import text as sql

from bessemer.domain.operation import JournalEvent, OperationState, Phase
from bessemer.store.table.column import METADATA, TEXT, json, key, one_of, text

OPERATIONS = Table(
    "operations",
    METADATA,
    key(),
    text("uuid", is_required=True),
    text(
        "node_uuid",
        ForeignKey("nodes.uuid", name="fk_operations_node_uuid", ondelete="CASCADE"),
        is_required=True,
    ),
    text("kind", is_required=True),
    Column("version", Integer, nullable=False),
    json("args"),
    Column("is_exclusive", Boolean, nullable=False),
    text("conductor_group", is_required=True),
    text("requested_by", is_required=True),
    text("request_id", is_required=True),
    text("state", is_required=True),
    json("plan", default="[]"),
    Column("position", Integer, nullable=False),
    text("phase", is_required=True),
    Column("attempt", Integer, nullable=False),
    json("data"),
    Column("progress", Float),
    text("progress_text", is_required=True),
    text("wait_for"),
    text("wake_at"),
    text("waiting_since"),
    text("deadline_at"),
    # Counts signals, so that one which arrives while the operation is falling asleep is not lost.
    Column("signals", Integer, nullable=False),
    text("owner"),
    Column("fence", Integer, nullable=False),
    text("cancel_reason"),
    json("result", default=None),
    json("error", default=None),
    text("created_at", is_required=True),
    text("started_at"),
    text("step_started_at"),
    text("finished_at"),
    # How many processes were lost while they carried out the present step.
    Column("deaths", Integer, nullable=False, server_default="0"),
    text("project", is_required=True, default=""),
    text("pool", is_required=True, default=""),
    Column("priority", Integer, nullable=False, server_default="1"),
    # When it is to be claimed, in the virtual time of its queue: see queue.py.
    Column("turn", Float, nullable=False, server_default="0"),
    text("traceparent", is_required=True, default=""),
    Unique("uuid"),
    one_of("state", OperationState),
    one_of("phase", Phase),
    CheckConstraint("owner IS NULL OR state IN ('running', 'waiting')", name="owned_while_active"),
    CheckConstraint(
        "state <> 'waiting' OR owner IS NOT NULL OR wait_for IS NOT NULL OR wake_at IS NOT NULL",
        name="waits_for_something",
    ),
    CheckConstraint(
        "(finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled'))",
        name="finished_when_over",
    ),
    CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="failure_has_error"),
    Index(
        "uq_operations_active",
        "node_uuid",
        unique=True,
        sqlite_where=sql("is_exclusive AND state IN ('running', 'waiting')"),
        postgresql_where=sql("is_exclusive AND state IN ('running', 'waiting')"),
    ),
    Index(None, "node_uuid", "id"),
    Index(
        "ix_operations_finished",
        "finished_at",
        sqlite_where=sql("finished_at IS NOT NULL"),
        postgresql_where=sql("finished_at IS NOT NULL"),
    ),
    # The three indexes below hold live rows only: claiming stays quick however long the history is.
    Index(
        "ix_operations_queued",
        "node_uuid",
        "id",
        sqlite_where=sql("state = 'queued'"),
        postgresql_where=sql("state = 'queued'"),
    ),
    Index(
        "ix_operations_due",
        "wake_at",
        sqlite_where=sql("state = 'waiting' AND owner IS NULL"),
        postgresql_where=sql("state = 'waiting' AND owner IS NULL"),
    ),
    Index(
        "ix_operations_held",
        "state",
        "owner",
        sqlite_where=sql("state IN ('running', 'waiting')"),
        postgresql_where=sql("state IN ('running', 'waiting')"),
    ),
    Index(
        "ix_operations_turn",
        "conductor_group",
        "pool",
        "turn",
        "id",
        sqlite_where=sql("state = 'queued'"),
        postgresql_where=sql("state = 'queued'"),
    ),
    Index(
        "ix_operations_flow",
        "conductor_group",
        "pool",
        "project",
        "priority",
        "turn",
        sqlite_where=sql("state = 'queued'"),
        postgresql_where=sql("state = 'queued'"),
    ),
    # The virtual time of each queue is the highest turn ever claimed.
    Index(
        "ix_operations_claimed",
        "conductor_group",
        "pool",
        "turn",
        sqlite_where=sql("fence > 0"),
        postgresql_where=sql("fence > 0"),
    ),
    Index(
        "ix_operations_pool",
        "pool",
        "conductor_group",
        "state",
        sqlite_where=sql("pool <> '' AND state IN ('queued', 'running', 'waiting')"),
        postgresql_where=sql("pool <> '' AND state IN ('queued', 'running', 'waiting')"),
    ),
    # Calls whose answers nobody fetched. Each database has its own words, as they are in the query.
    Index(
        "ix_operations_calls",
        "finished_at",
        sqlite_where=sql("is_exclusive = 0"),
        postgresql_where=sql("NOT is_exclusive"),
    ),
)

JOURNAL = Table(
    "journal",
    METADATA,
    key(),
    Column(
        "operation_uuid",
        TEXT,
        ForeignKey("operations.uuid", name="fk_journal_operation_uuid", ondelete="CASCADE"),
        nullable=False,
    ),
    text("at", is_required=True),
    Column("position", Integer, nullable=False),
    text("step", is_required=True),
    text("title", is_required=True),
    Column("attempt", Integer, nullable=False),
    text("event", is_required=True),
    Column("duration_s", Float),
    text("detail", is_required=True),
    text("owner", is_required=True),
    Column("fence", Integer, nullable=False),
    one_of("event", JournalEvent),
    Index(None, "operation_uuid", "id"),
)
