"""An index of calls: shared operations, deleted when their answers were delivered or are too old."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_operations_calls",
        "operations",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("is_exclusive = 0"),
        postgresql_where=sa.text("NOT is_exclusive"),
    )
