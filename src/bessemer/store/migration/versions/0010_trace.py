"""Which request's trace an operation belongs to, for conductors that take it over.

An expanding change: what the release before asks for belongs to no trace.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("operations", sa.Column("traceparent", _TEXT, server_default="", nullable=False))
