"""Leases of conductors, deaths under a step, background duties, and indexes to prune by.

An expanding change: the release before works on beside it. It renews no lease, so a conductor without one is
judged by its last sign of life.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NODE_DUTIES = ("power", "health", "sensors", "history")


def upgrade() -> None:
    op.add_column("conductors", sa.Column("lease_until", TEXT, nullable=True))
    op.add_column("conductors", sa.Column("version", TEXT, server_default="", nullable=False))
    op.add_column("conductors", sa.Column("kinds", sa.Text(), server_default="[]", nullable=False))
    op.add_column("operations", sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))
    _create_indexes()
    _create_tables()
    for duty in NODE_DUTIES:
        # Due at once: conductors spread them over the interval.
        op.execute(
            sa.text(
                "INSERT INTO node_duties (node_uuid, duty, conductor_group, next_due_at, failures) "
                "SELECT uuid, :duty, conductor_group, created_at, 0 FROM nodes"
            ).bindparams(duty=duty)
        )


def _create_indexes() -> None:
    op.create_index("uq_nodes_uuid_conductor_group", "nodes", ["uuid", "conductor_group"], unique=True)
    op.create_index(
        "ix_operations_finished",
        "operations",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_events_passing",
        "events",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("in_history = 0"),
        postgresql_where=sa.text("NOT in_history"),
    )


def _create_tables() -> None:
    op.create_table(
        "duties",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("next_due_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duties")),
    )
    op.create_table(
        "node_duties",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("duty", TEXT, nullable=False),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("next_due_at", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_uuid", "conductor_group"],
            ["nodes.uuid", "nodes.conductor_group"],
            name="fk_node_duties_node",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("node_uuid", "duty", name=op.f("pk_node_duties")),
    )
    op.create_index(
        "ix_node_duties_due", "node_duties", ["duty", "conductor_group", "next_due_at"], unique=False
    )
