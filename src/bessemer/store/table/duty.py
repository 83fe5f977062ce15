"""Background duties: when each is due. That is all that is kept; what there is to do is looked up then."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table

from bessemer.store.table.column import METADATA, TEXT, text

#: Duties of the service as a whole: one row each.
DUTIES = Table(
    "duties",
    METADATA,
    Column("name", TEXT, primary_key=True),
    text("next_due_at", is_required=True),
)

#: Duties towards each node. Separate from ``nodes``, whose rows users' requests lock and whose indexes
#: are many: a sweep over the fleet rewrites these small rows only.
NODE_DUTIES = Table(
    "node_duties",
    METADATA,
    Column("node_uuid", TEXT, nullable=False),
    Column("duty", TEXT, nullable=False),
    Column("conductor_group", TEXT, nullable=False),
    text("next_due_at", is_required=True),
    Column("failures", Integer, nullable=False),
    # The hardware type that a conductor must drive to do it; null: any may.
    text("driver"),
    PrimaryKeyConstraint("node_uuid", "duty"),
    # Group and hardware type follow the node's by themselves: one index finds what is due for a conductor.
    ForeignKeyConstraint(
        ["node_uuid", "conductor_group"],
        ["nodes.uuid", "nodes.conductor_group"],
        name="fk_node_duties_node",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["node_uuid", "driver"],
        ["nodes.uuid", "nodes.driver"],
        name="fk_node_duties_driver",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    Index("ix_node_duties_due", "duty", "conductor_group", "driver", "next_due_at"),
)
