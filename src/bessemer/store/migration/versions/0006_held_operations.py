"""The index of live operations by state and holder: the sleeping ones, who have no holder, are many."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_operations_held", "operations")
    op.create_index(
        "ix_operations_held",
        "operations",
        ["state", "owner"],
        unique=False,
        sqlite_where=sa.text("state IN ('running', 'waiting')"),
        postgresql_where=sa.text("state IN ('running', 'waiting')"),
    )
