"""Every filter of a list has an index to go by."""

import pytest
from sqlalchemy import Table, UniqueConstraint

from bessemer.store.table import (
    ALLOCATIONS,
    DEPLOY_TEMPLATES,
    INSPECTION_RULES,
    NODE_TRAITS,
    NODES,
    PORTGROUPS,
    PORTS,
    RUNBOOK_TRAITS,
    RUNBOOKS,
    VOLUME_CONNECTORS,
    VOLUME_TARGETS,
)

FILTERS = {
    NODES: [
        "uuid", "name", "chassis_uuid", "instance_uuid", "instance_name", "provision_state", "driver",
        "resource_class", "fault", "conductor_group", "owner", "lessee", "shard", "parent_node",
    ],
    NODE_TRAITS: ["node_uuid", "trait"],
    PORTS: ["uuid", "name", "address", "node_uuid", "portgroup_uuid"],
    PORTGROUPS: ["uuid", "name", "address", "node_uuid"],
    VOLUME_CONNECTORS: ["uuid", "node_uuid", "type"],
    VOLUME_TARGETS: ["uuid", "node_uuid"],
    ALLOCATIONS: ["uuid", "name", "node_uuid", "resource_class", "state", "owner"],
    DEPLOY_TEMPLATES: ["uuid", "name"],
    RUNBOOKS: ["uuid", "name", "owner", "public"],
    RUNBOOK_TRAITS: ["runbook_uuid"],
    INSPECTION_RULES: ["uuid", "phase"],
}  # fmt: skip


def leading_columns(table: Table) -> set[str]:
    """The first column of each index over all rows, or over those in which it is not null."""
    unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    lists = [list(table.primary_key.columns), *(list(one.columns) for one in unique)]
    found = {columns[0].name for columns in lists}
    for index in table.indexes:
        first = next(iter(index.columns)).name
        condition = index.dialect_options["sqlite"].get("where")
        if condition is None or str(condition) == f"{first} IS NOT NULL":
            found.add(first)
    return found


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in FILTERS.items() for column in columns],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_filter_has_an_index(table: Table, column: str) -> None:
    assert column in leading_columns(table)
