"""Subscriptions to events of BMCs, and the duty towards each node that looks after them.

An expanding change: nodes that the release before enrols get the duty when a conductor of this one starts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_subscriptions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=True),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("context", TEXT, nullable=False),
        sa.Column("access", sa.Text(), server_default="{}", nullable=False),
        sa.Column("tested_at", TEXT, nullable=True),
        sa.Column("heard_at", TEXT, nullable=True),
        sa.Column("next_due_at", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_event_subscriptions_node_uuid", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_subscriptions")),
        sa.UniqueConstraint("node_uuid", name=op.f("uq_event_subscriptions_node_uuid")),
        sa.UniqueConstraint("uuid", name=op.f("uq_event_subscriptions_uuid")),
    )
    op.create_index(
        "ix_event_subscriptions_left",
        "event_subscriptions",
        ["node_uuid", "conductor_group", "next_due_at"],
        unique=False,
    )
    op.execute(
        sa.text(
            "INSERT INTO node_duties (node_uuid, duty, conductor_group, next_due_at, failures) "
            "SELECT uuid, 'events', conductor_group, created_at, 0 FROM nodes"
        )
    )
