"""The audit trail: inbox, chain, anchors, and the triggers that keep them as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
_DELETABLE = {
    "audit_inbox": "EXISTS (SELECT 1 FROM audit_events WHERE audit_events.uuid = OLD.uuid)",
    "audit_events": "OLD.position <= (SELECT COALESCE(MAX(position), 0) FROM audit_anchors)",
    "audit_anchors": "1 = 0",
}


def upgrade() -> None:
    op.create_table(
        "audit_inbox",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("uuid", _TEXT, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_inbox")),
        sa.UniqueConstraint("uuid", name=op.f("uq_audit_inbox_uuid")),
    )
    op.create_table(
        "audit_events",
        sa.Column("position", _BIG, autoincrement=False, nullable=False),
        sa.Column("uuid", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("user", _TEXT, nullable=True),
        sa.Column("project", _TEXT, nullable=True),
        sa.Column("resource", _TEXT, nullable=False),
        sa.Column("request_id", _TEXT, nullable=False),
        sa.Column("outcome", _TEXT, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("uuid", name=op.f("uq_audit_events_uuid")),
    )
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"], unique=False)
    op.create_index(op.f("ix_audit_events_resource"), "audit_events", ["resource"], unique=False)
    op.create_table(
        "audit_anchors",
        sa.Column("position", _BIG, autoincrement=False, nullable=False),
        sa.Column("created_at", _TEXT, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_anchors")),
    )
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgresql
    for table, deletable in _DELETABLE.items():
        guard(table, deletable)


def _guard_sqlite(table: str, deletable: str) -> None:
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {_REFUSE}")
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({deletable}) {_REFUSE}"
    )  # fmt: skip


def _guard_postgresql(table: str, deletable: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {deletable} THEN RETURN OLD; END IF; END IF; "
        "RAISE EXCEPTION 'the audit trail is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_guard()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_guard_all BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_guard()"
    )
