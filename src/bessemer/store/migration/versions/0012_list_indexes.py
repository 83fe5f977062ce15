"""Indexes by which lists are sorted and filtered: a page costs the same wherever it is.

An expanding change: the release before asks the same questions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

#: Single columns become pairs: with the id behind them, rows of one value are in the order of pages.
_WHOLE = {
    "nodes": ("provision_state", "resource_class", "driver", "conductor_group", "shard"),
    "allocations": ("resource_class", "state", "owner"),
}
#: Of nodes, and only of those that have such a value.
_SPARSE = ("chassis_uuid", "parent_node", "fault", "instance_name", "owner", "lessee")
_SOME = {
    "ix_nodes_associated": ("instance_uuid IS NOT NULL", "instance_uuid IS NOT NULL"),
    "ix_nodes_maintenance": ("maintenance = 1", "maintenance"),
    "ix_nodes_retired": ("retired = 1", "retired"),
}


def upgrade() -> None:
    for table, columns in _WHOLE.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table)
            op.create_index(f"ix_{table}_{column}_id", table, [column, "id"], unique=False)
    op.create_index(
        "ix_nodes_provision_state_resource_class_id",
        "nodes",
        ["provision_state", "resource_class", "id"],
        unique=False,
    )
    for column in ("created_at", "provision_updated_at"):
        op.create_index(f"ix_nodes_{column}_id", "nodes", [column, "id"], unique=False)
    for column in _SPARSE:
        op.drop_index(f"ix_nodes_{column}", "nodes")
        given = f"{column} IS NOT NULL"
        _create_partial(f"ix_nodes_{column}_id", [column, "id"], given, given)
    for name, conditions in _SOME.items():
        _create_partial(name, ["id"], *conditions)


def _create_partial(name: str, columns: list[str], sqlite: str, postgresql: str) -> None:
    op.create_index(
        name,
        "nodes",
        columns,
        unique=False,
        sqlite_where=sa.text(sqlite),
        postgresql_where=sa.text(postgresql),
    )
