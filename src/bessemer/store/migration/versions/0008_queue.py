"""Whose an operation is, what limit it counts against, and its turn in the queue.

An expanding change: the release before works on beside it. What that release asks for has neither
turn nor pool: it is served first, and counts against no limit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_QUEUED = "state = 'queued'"
_INDEXES = {
    "ix_operations_turn": (["conductor_group", "pool", "turn", "id"], _QUEUED),
    "ix_operations_flow": (["conductor_group", "pool", "project", "priority", "turn"], _QUEUED),
    "ix_operations_claimed": (["conductor_group", "pool", "turn"], "fence > 0"),
    "ix_operations_pool": (
        ["pool", "conductor_group", "state"],
        "pool <> '' AND state IN ('queued', 'running', 'waiting')",
    ),
}


def upgrade() -> None:
    op.add_column("operations", sa.Column("project", _TEXT, server_default="", nullable=False))
    op.add_column("operations", sa.Column("pool", _TEXT, server_default="", nullable=False))
    op.add_column("operations", sa.Column("priority", sa.Integer(), server_default="1", nullable=False))
    op.add_column("operations", sa.Column("turn", sa.Float(), server_default="0", nullable=False))
    for name, (columns, condition) in _INDEXES.items():
        op.create_index(
            name,
            "operations",
            columns,
            unique=False,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
