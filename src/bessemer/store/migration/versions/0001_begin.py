"""The first tables."""
# ruff: noqa: E501  a constraint stays on one line, so that it can be found by its text

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chassis",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chassis")),
        sa.UniqueConstraint("uuid", name=op.f("uq_chassis_uuid")),
    )
    op.create_table(
        "conductors",
        sa.Column("id", BIG, nullable=False),
        sa.Column("hostname", TEXT, nullable=False),
        sa.Column("incarnation", TEXT, nullable=False),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("drivers", sa.Text(), server_default="[]", nullable=False),
        sa.Column("is_online", sa.Boolean(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conductors")),
        sa.UniqueConstraint("hostname", name=op.f("uq_conductors_hostname")),
        sa.UniqueConstraint("incarnation", name=op.f("uq_conductors_incarnation")),
    )
    op.create_table(
        "events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("conductor", TEXT, nullable=False),
        sa.Column("user", TEXT, nullable=True),
        sa.Column("project", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("target_state", TEXT, nullable=True),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("payload", sa.Text(), server_default="{}", nullable=False),
        sa.Column("in_history", sa.Boolean(), nullable=False),
        sa.CheckConstraint("severity IN ('INFO', 'ERROR')", name=op.f("ck_events_severity_known")),
        sa.CheckConstraint(
            "node_uuid IS NOT NULL OR NOT in_history", name=op.f("ck_events_history_has_node")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("uuid", name=op.f("uq_events_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_node_uuid_id", "events", ["node_uuid", "id"], unique=False)
    op.create_table(
        "conductor_interfaces",
        sa.Column("hostname", TEXT, nullable=False),
        sa.Column("hardware_type", TEXT, nullable=False),
        sa.Column("interface_type", TEXT, nullable=False),
        sa.Column("interface_name", TEXT, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "interface_type IN ('bios', 'boot', 'console', 'deploy', 'firmware', 'inspect', 'management', 'network', 'power', 'raid', 'rescue', 'storage', 'vendor')",
            name=op.f("ck_conductor_interfaces_interface_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["hostname"], ["conductors.hostname"], name="fk_conductor_interfaces_hostname", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "hostname",
            "hardware_type",
            "interface_type",
            "interface_name",
            name=op.f("pk_conductor_interfaces"),
        ),
    )
    op.create_table(
        "nodes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("chassis_uuid", TEXT, nullable=True),
        sa.Column("parent_node", TEXT, nullable=True),
        sa.Column("driver", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("provision_state", TEXT, nullable=False),
        sa.Column("target_provision_state", TEXT, nullable=True),
        sa.Column("provision_updated_at", TEXT, nullable=True),
        sa.Column("power_state", TEXT, nullable=True),
        sa.Column("target_power_state", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("reservation", TEXT, nullable=True),
        sa.Column("maintenance", sa.Boolean(), nullable=False),
        sa.Column("maintenance_reason", TEXT, nullable=True),
        sa.Column("fault", TEXT, nullable=True),
        sa.Column("health", TEXT, nullable=True),
        sa.Column("instance_uuid", TEXT, nullable=True),
        sa.Column("instance_name", TEXT, nullable=True),
        sa.Column("allocation_uuid", TEXT, nullable=True),
        sa.Column("driver_info", sa.Text(), server_default="{}", nullable=False),
        sa.Column("driver_internal_info", sa.Text(), server_default="{}", nullable=False),
        sa.Column("instance_info", sa.Text(), server_default="{}", nullable=False),
        sa.Column("properties", sa.Text(), server_default="{}", nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.Column("network_data", sa.Text(), server_default="{}", nullable=False),
        sa.Column("clean_step", sa.Text(), server_default="{}", nullable=False),
        sa.Column("deploy_step", sa.Text(), server_default="{}", nullable=False),
        sa.Column("service_step", sa.Text(), server_default="{}", nullable=False),
        sa.Column("raid_config", sa.Text(), server_default="{}", nullable=False),
        sa.Column("target_raid_config", sa.Text(), server_default="{}", nullable=False),
        sa.Column("bios_interface", TEXT, nullable=True),
        sa.Column("boot_interface", TEXT, nullable=True),
        sa.Column("console_interface", TEXT, nullable=True),
        sa.Column("deploy_interface", TEXT, nullable=True),
        sa.Column("firmware_interface", TEXT, nullable=True),
        sa.Column("inspect_interface", TEXT, nullable=True),
        sa.Column("management_interface", TEXT, nullable=True),
        sa.Column("network_interface", TEXT, nullable=True),
        sa.Column("power_interface", TEXT, nullable=True),
        sa.Column("raid_interface", TEXT, nullable=True),
        sa.Column("rescue_interface", TEXT, nullable=True),
        sa.Column("storage_interface", TEXT, nullable=True),
        sa.Column("vendor_interface", TEXT, nullable=True),
        sa.Column("console_enabled", sa.Boolean(), nullable=False),
        sa.Column("boot_mode", TEXT, nullable=True),
        sa.Column("secure_boot", sa.Boolean(), nullable=True),
        sa.Column("inspection_started_at", TEXT, nullable=True),
        sa.Column("inspection_finished_at", TEXT, nullable=True),
        sa.Column("resource_class", TEXT, nullable=True),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("automated_clean", sa.Boolean(), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("protected_reason", TEXT, nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("retired_reason", TEXT, nullable=True),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("lessee", TEXT, nullable=True),
        sa.Column("shard", TEXT, nullable=True),
        sa.Column("disable_power_off", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "power_state IN ('power on', 'power off', 'error')", name=op.f("ck_nodes_power_state_known")
        ),
        sa.CheckConstraint(
            "provision_state IN ('enroll', 'verifying', 'manageable', 'available', 'active', 'error', 'deploying', 'wait call-back', 'deploy failed', 'deploy hold', 'deleting', 'cleaning', 'clean wait', 'clean failed', 'clean hold', 'inspecting', 'inspect wait', 'inspect failed', 'adopting', 'adopt failed', 'rescue', 'rescuing', 'rescue wait', 'rescue failed', 'unrescuing', 'unrescue failed', 'servicing', 'service wait', 'service failed', 'service hold')",
            name=op.f("ck_nodes_provision_state_known"),
        ),
        sa.CheckConstraint(
            "target_provision_state IN ('enroll', 'verifying', 'manageable', 'available', 'active', 'error', 'deploying', 'wait call-back', 'deploy failed', 'deploy hold', 'deleting', 'cleaning', 'clean wait', 'clean failed', 'clean hold', 'inspecting', 'inspect wait', 'inspect failed', 'adopting', 'adopt failed', 'rescue', 'rescuing', 'rescue wait', 'rescue failed', 'unrescuing', 'unrescue failed', 'servicing', 'service wait', 'service failed', 'service hold')",
            name=op.f("ck_nodes_target_provision_state_known"),
        ),
        sa.CheckConstraint("parent_node <> uuid", name=op.f("ck_nodes_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["chassis_uuid"],
            ["chassis.uuid"],
            name="fk_nodes_chassis_uuid",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
        sa.UniqueConstraint("instance_uuid", name=op.f("uq_nodes_instance_uuid")),
        sa.UniqueConstraint("name", name=op.f("uq_nodes_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_nodes_uuid")),
    )
    op.create_index("ix_nodes_chassis_uuid", "nodes", ["chassis_uuid"], unique=False)
    op.create_index("ix_nodes_conductor_group", "nodes", ["conductor_group"], unique=False)
    op.create_index("ix_nodes_instance_name", "nodes", ["instance_name"], unique=False)
    op.create_index("ix_nodes_lessee", "nodes", ["lessee"], unique=False)
    op.create_index("ix_nodes_owner", "nodes", ["owner"], unique=False)
    op.create_index("ix_nodes_parent_node", "nodes", ["parent_node"], unique=False)
    op.create_index("ix_nodes_provision_state", "nodes", ["provision_state"], unique=False)
    op.create_index("ix_nodes_resource_class", "nodes", ["resource_class"], unique=False)
    op.create_index("ix_nodes_shard", "nodes", ["shard"], unique=False)
    op.create_table(
        "inventories",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("inventory", sa.Text(), server_default="{}", nullable=False),
        sa.Column("plugin_data", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_inventories_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_uuid", name=op.f("pk_inventories")),
    )
    op.create_table(
        "node_traits",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("trait", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_node_traits_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_uuid", "trait", name=op.f("pk_node_traits")),
    )
    op.create_index("ix_node_traits_trait", "node_traits", ["trait"], unique=False)
    op.create_table(
        "operations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("args", sa.Text(), server_default="{}", nullable=False),
        sa.Column("is_exclusive", sa.Boolean(), nullable=False),
        sa.Column("conductor_group", TEXT, nullable=False),
        sa.Column("requested_by", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("plan", sa.Text(), server_default="[]", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("phase", TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), server_default="{}", nullable=False),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("progress_text", TEXT, nullable=False),
        sa.Column("wait_for", TEXT, nullable=True),
        sa.Column("wake_at", TEXT, nullable=True),
        sa.Column("waiting_since", TEXT, nullable=True),
        sa.Column("deadline_at", TEXT, nullable=True),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("cancel_reason", TEXT, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("started_at", TEXT, nullable=True),
        sa.Column("step_started_at", TEXT, nullable=True),
        sa.Column("finished_at", TEXT, nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled'))",
            name=op.f("ck_operations_finished_when_over"),
        ),
        sa.CheckConstraint(
            "owner IS NULL OR state IN ('running', 'waiting')", name=op.f("ck_operations_owned_while_active")
        ),
        sa.CheckConstraint(
            "phase IN ('run', 'check', 'until', 'undo')", name=op.f("ck_operations_phase_known")
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR error IS NOT NULL", name=op.f("ck_operations_failure_has_error")
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR owner IS NOT NULL OR wait_for IS NOT NULL OR wake_at IS NOT NULL",
            name=op.f("ck_operations_waits_for_something"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_operations_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_operations_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sa.UniqueConstraint("uuid", name=op.f("uq_operations_uuid")),
    )
    op.create_index(
        "ix_operations_due",
        "operations",
        ["wake_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting' AND owner IS NULL"),
        postgresql_where=sa.text("state = 'waiting' AND owner IS NULL"),
    )
    op.create_index(
        "ix_operations_held",
        "operations",
        ["owner"],
        unique=False,
        sqlite_where=sa.text("state IN ('running', 'waiting')"),
        postgresql_where=sa.text("state IN ('running', 'waiting')"),
    )
    op.create_index("ix_operations_node_uuid_id", "operations", ["node_uuid", "id"], unique=False)
    op.create_index(
        "ix_operations_queued",
        "operations",
        ["node_uuid", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "uq_operations_active",
        "operations",
        ["node_uuid"],
        unique=True,
        sqlite_where=sa.text("is_exclusive AND state IN ('running', 'waiting')"),
        postgresql_where=sa.text("is_exclusive AND state IN ('running', 'waiting')"),
    )
    op.create_table(
        "ports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("portgroup_uuid", TEXT, nullable=True),
        sa.Column("pxe_enabled", sa.Boolean(), nullable=False),
        sa.Column("physical_network", TEXT, nullable=True),
        sa.Column("is_smartnic", sa.Boolean(), nullable=False),
        sa.Column("vendor", TEXT, nullable=True),
        sa.Column("category", TEXT, nullable=True),
        sa.Column("available_for_dynamic_portgroup", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.Column("internal_info", sa.Text(), server_default="{}", nullable=False),
        sa.Column("local_link_connection", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("address = lower(address)", name=op.f("ck_ports_address_lower_case")),
        sa.ForeignKeyConstraint(["node_uuid"], ["nodes.uuid"], name="fk_ports_node_uuid", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ports")),
        sa.UniqueConstraint("address", name=op.f("uq_ports_address")),
        sa.UniqueConstraint("name", name=op.f("uq_ports_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_ports_uuid")),
    )
    op.create_index("ix_ports_node_uuid", "ports", ["node_uuid"], unique=False)
    op.create_index("ix_ports_portgroup_uuid", "ports", ["portgroup_uuid"], unique=False)
    op.create_table(
        "journal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("operation_uuid", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "event IN ('started', 'resumed', 'retried', 'waiting', 'done', 'skipped', 'failed', 'undone', 'undo failed', 'cancelled', 'finished')",
            name=op.f("ck_journal_event_known"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_uuid"], ["operations.uuid"], name="fk_journal_operation_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_operation_uuid_id", "journal", ["operation_uuid", "id"], unique=False)
