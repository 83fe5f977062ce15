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
    op.create_index("ix_nodes_driver", "nodes", ["driver"], unique=False)
    op.create_index("ix_nodes_fault", "nodes", ["fault"], unique=False)
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
        "deploy_templates",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("steps", sa.Text(), server_default="[]", nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deploy_templates")),
        sa.UniqueConstraint("name", name=op.f("uq_deploy_templates_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_deploy_templates_uuid")),
    )
    op.create_table(
        "inspection_rules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("phase", TEXT, nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("conditions", sa.Text(), server_default="[]", nullable=False),
        sa.Column("actions", sa.Text(), server_default="[]", nullable=False),
        sa.CheckConstraint("phase IN ('main')", name=op.f("ck_inspection_rules_phase_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_rules")),
        sa.UniqueConstraint("uuid", name=op.f("uq_inspection_rules_uuid")),
    )
    op.create_index("ix_inspection_rules_phase", "inspection_rules", ["phase"], unique=False)
    op.create_table(
        "runbooks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("steps", sa.Text(), server_default="[]", nullable=False),
        sa.Column("disable_ramdisk", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("NOT public OR owner IS NULL", name=op.f("ck_runbooks_public_has_no_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runbooks")),
        sa.UniqueConstraint("name", name=op.f("uq_runbooks_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_runbooks_uuid")),
    )
    op.create_index("ix_runbooks_owner", "runbooks", ["owner"], unique=False)
    op.create_index("ix_runbooks_public", "runbooks", ["public"], unique=False)
    op.create_table(
        "runbook_traits",
        sa.Column("runbook_uuid", TEXT, nullable=False),
        sa.Column("trait", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["runbook_uuid"], ["runbooks.uuid"], name="fk_runbook_traits_runbook_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("runbook_uuid", "trait", name=op.f("pk_runbook_traits")),
    )
    op.create_table(
        "allocations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("resource_class", TEXT, nullable=True),
        sa.Column("traits", sa.Text(), server_default="[]", nullable=False),
        sa.Column("candidate_nodes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("node_uuid", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.Column("owner", TEXT, nullable=True),
        sa.CheckConstraint(
            "(state = 'active') = (node_uuid IS NOT NULL)", name=op.f("ck_allocations_active_has_node")
        ),
        sa.CheckConstraint(
            "state <> 'error' OR last_error IS NOT NULL", name=op.f("ck_allocations_error_has_reason")
        ),
        sa.CheckConstraint(
            "state IN ('allocating', 'active', 'error')", name=op.f("ck_allocations_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_allocations_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocations")),
        sa.UniqueConstraint("name", name=op.f("uq_allocations_name")),
        sa.UniqueConstraint("node_uuid", name=op.f("uq_allocations_node_uuid")),
        sa.UniqueConstraint("uuid", name=op.f("uq_allocations_uuid")),
    )
    op.create_index("ix_allocations_owner", "allocations", ["owner"], unique=False)
    op.create_index("ix_allocations_resource_class", "allocations", ["resource_class"], unique=False)
    op.create_index("ix_allocations_state", "allocations", ["state"], unique=False)
    op.create_table(
        "bios_settings",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("attribute_type", TEXT, nullable=True),
        sa.Column("allowable_values", sa.Text(), nullable=True),
        sa.Column("lower_bound", sa.Integer(), nullable=True),
        sa.Column("upper_bound", sa.Integer(), nullable=True),
        sa.Column("min_length", sa.Integer(), nullable=True),
        sa.Column("max_length", sa.Integer(), nullable=True),
        sa.Column("read_only", sa.Boolean(), nullable=True),
        sa.Column("reset_required", sa.Boolean(), nullable=True),
        sa.Column("unique", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_bios_settings_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_uuid", "name", name=op.f("pk_bios_settings")),
    )
    op.create_table(
        "firmware_components",
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("component", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("initial_version", TEXT, nullable=False),
        sa.Column("current_version", TEXT, nullable=True),
        sa.Column("last_version_flashed", TEXT, nullable=True),
        sa.Column("vendor", TEXT, nullable=True),
        sa.Column("model", TEXT, nullable=True),
        sa.Column("serial_number", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_firmware_components_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_uuid", "component", name=op.f("pk_firmware_components")),
    )
    op.create_table(
        "portgroups",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("address", TEXT, nullable=True),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("standalone_ports_supported", sa.Boolean(), nullable=False),
        sa.Column("physical_network", TEXT, nullable=True),
        sa.Column("category", TEXT, nullable=True),
        sa.Column("dynamic_portgroup", sa.Boolean(), nullable=False),
        sa.Column("properties", sa.Text(), server_default="{}", nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.Column("internal_info", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("address = lower(address)", name=op.f("ck_portgroups_address_lower_case")),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_portgroups_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portgroups")),
        sa.UniqueConstraint("address", name=op.f("uq_portgroups_address")),
        sa.UniqueConstraint("name", name=op.f("uq_portgroups_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_portgroups_uuid")),
    )
    op.create_index("ix_portgroups_node_uuid", "portgroups", ["node_uuid"], unique=False)
    op.create_table(
        "volume_connectors",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("connector_id", TEXT, nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_volume_connectors_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volume_connectors")),
        sa.UniqueConstraint("type", "connector_id", name=op.f("uq_volume_connectors_type_connector_id")),
        sa.UniqueConstraint("uuid", name=op.f("uq_volume_connectors_uuid")),
    )
    op.create_index("ix_volume_connectors_node_uuid", "volume_connectors", ["node_uuid"], unique=False)
    op.create_table(
        "volume_targets",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uuid", TEXT, nullable=False),
        sa.Column("node_uuid", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=True),
        sa.Column("volume_type", TEXT, nullable=False),
        sa.Column("boot_index", sa.Integer(), nullable=False),
        sa.Column("volume_id", TEXT, nullable=False),
        sa.Column("properties", sa.Text(), server_default="{}", nullable=False),
        sa.Column("extra", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["node_uuid"], ["nodes.uuid"], name="fk_volume_targets_node_uuid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volume_targets")),
        sa.UniqueConstraint("node_uuid", "boot_index", name=op.f("uq_volume_targets_node_uuid_boot_index")),
        sa.UniqueConstraint("uuid", name=op.f("uq_volume_targets_uuid")),
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
        sa.ForeignKeyConstraint(["portgroup_uuid"], ["portgroups.uuid"], name="fk_ports_portgroup_uuid"),
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
