"""Duties that need the machine know its hardware type: a conductor claims only looks at what it drives.

An expanding change: rows that the release before makes know none, and are claimed by anybody as before. Who
claims one writes it down.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CASCADE: dict[str, Any] = {"onupdate": "CASCADE", "ondelete": "CASCADE"}


def upgrade() -> None:
    op.create_index("uq_nodes_uuid_driver", "nodes", ["uuid", "driver"], unique=True)
    op.drop_index("ix_node_duties_due", "node_duties")
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        op.add_column("node_duties", sa.Column("driver", TEXT, nullable=True))
        ours, theirs = ["node_uuid", "driver"], ["uuid", "driver"]
        op.create_foreign_key("fk_node_duties_driver", "node_duties", "nodes", ours, theirs, **_CASCADE)
        op.execute(
            "UPDATE node_duties SET driver = (SELECT driver FROM nodes WHERE uuid = node_uuid) "
            "WHERE duty <> 'history'"
        )
    op.create_index(
        "ix_node_duties_due",
        "node_duties",
        ["duty", "conductor_group", "driver", "next_due_at"],
        unique=False,
    )


def _make_anew() -> None:
    """SQLite cannot add a foreign key of two columns to a table."""
    op.execute("CREATE TEMPORARY TABLE duties_before AS SELECT * FROM node_duties")
    op.drop_table("node_duties")
    op.create_table(
        "node_duties",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("duty", TEXT, nullable=False),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("next_due_at", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("driver", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["node_uuid", "conductor_group"],
            ["nodes.uuid", "nodes.conductor_group"],
            name="fk_node_duties_node",
            **_CASCADE,
        ),
        sa.ForeignKeyConstraint(
            ["node_uuid", "driver"],
            ["nodes.uuid", "nodes.driver"],
            name="fk_node_duties_driver",
            **_CASCADE,
        ),
        sa.PrimaryKeyConstraint("node_uuid", "duty", name=op.f("pk_node_duties")),
    )
    op.execute(
        "INSERT INTO node_duties (node_uuid, duty, conductor_group, next_due_at, failures, driver) "
        "SELECT b.node_uuid, b.duty, b.conductor_group, b.next_due_at, b.failures, "
        "CASE WHEN b.duty <> 'history' THEN n.driver END "
        "FROM duties_before b JOIN nodes n ON n.uuid = b.node_uuid"
    )
    op.execute("DROP TABLE duties_before")
