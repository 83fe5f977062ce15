"""Reports of inspections under way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "inspection_reports",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("report", sa.Text(), server_default="{}", nullable=False),
        sa.Column("calls", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_inspection_reports_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_inspection_reports")),
    )
