"""A node: one physical machine and all that is known of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bessemer.domain.interface import InterfaceType
from bessemer.domain.power import PowerState
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import NodeLocked

JsonObject = dict[str, Any]


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a node. Field names and meanings are those of the v1 API unless noted."""

    uuid: str
    driver: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    name: str | None = None
    description: str | None = None
    chassis_uuid: str | None = None
    parent_node: str | None = None

    provision_state: ProvisionState = ProvisionState.ENROLL
    target_provision_state: ProvisionState | None = None
    provision_updated_at: Timestamp | None = None
    power_state: PowerState | None = None
    target_power_state: PowerState | None = None
    last_error: str | None = None
    #: Host of the conductor that is working on the node right now; null while the work merely waits.
    reservation: str | None = None
    maintenance: bool = False
    maintenance_reason: str | None = None
    fault: str | None = None
    health: str | None = None

    instance_uuid: str | None = None
    instance_name: str | None = None
    allocation_uuid: str | None = None

    driver_info: JsonObject = {}
    driver_internal_info: JsonObject = {}
    instance_info: JsonObject = {}
    properties: JsonObject = {}
    extra: JsonObject = {}
    network_data: JsonObject = {}
    clean_step: JsonObject = {}
    deploy_step: JsonObject = {}
    service_step: JsonObject = {}
    raid_config: JsonObject = {}
    target_raid_config: JsonObject = {}

    bios_interface: str | None = None
    boot_interface: str | None = None
    console_interface: str | None = None
    deploy_interface: str | None = None
    firmware_interface: str | None = None
    inspect_interface: str | None = None
    management_interface: str | None = None
    network_interface: str | None = None
    power_interface: str | None = None
    raid_interface: str | None = None
    rescue_interface: str | None = None
    storage_interface: str | None = None
    vendor_interface: str | None = None

    console_enabled: bool = False
    boot_mode: str | None = None
    secure_boot: bool | None = None
    inspection_started_at: Timestamp | None = None
    inspection_finished_at: Timestamp | None = None

    resource_class: str | None = None
    conductor_group: str = ""
    automated_clean: bool | None = None
    protected: bool = False
    protected_reason: str | None = None
    retired: bool = False
    retired_reason: str | None = None
    owner: str | None = None
    lessee: str | None = None
    shard: str | None = None
    disable_power_off: bool = False

    def interface(self, kind: InterfaceType) -> str | None:
        """Name of the implementation chosen for ``kind``; an instance may override it while it lives."""
        override = self.instance_info.get(kind.node_field)
        chosen = override if isinstance(override, str) else getattr(self, kind.node_field)
        return chosen if isinstance(chosen, str) else None


#: Node fields held as JSON documents.
JSON_FIELDS = tuple(
    field for field, kind in Node.__annotations__.items() if kind is JsonObject
)  # fmt: skip

#: Fields that may hold secrets: further keys in each that are secret although their names do not say so.
SECRET_KEYS: Mapping[str, frozenset[str]] = {
    "driver_info": frozenset({"snmp_auth_key", "snmp_priv_key"}),
    "driver_internal_info": frozenset({"boot_key"}),
    "instance_info": frozenset({"configdrive", "image_url"}),
    "clean_step": frozenset(),
    "deploy_step": frozenset(),
    "service_step": frozenset(),
}


def refuse_locked(node: Node) -> None:
    """Raises NodeLocked while an operation is working on the node; one that merely waits does not count."""
    if node.reservation is not None:
        raise NodeLocked(
            f"Node '{label(node)}' is locked by host {node.reservation}.",
            hint="Try again when its operation is complete.",
        )


def label(node: Node) -> str:
    """How a person would name the node: its name, or else its UUID."""
    return node.name or node.uuid
