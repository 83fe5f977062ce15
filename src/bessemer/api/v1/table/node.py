"""Nodes. Source: v1 contract, fields of ``node`` and its version gate table."""

from collections.abc import Iterator
from functools import partial

from bessemer.api.v1.table.field import Create, Field, Kind, Older, Param, Table, page_only, paging
from bessemer.domain.interface import InterfaceType
from bessemer.domain.node import SECRET_KEYS
from bessemer.domain.provision import ProvisionState

_string = partial(Field, kind=Kind.STRING, is_nullable=True)
_flag = partial(Field, kind=Kind.BOOLEAN, default=False)
_object = partial(Field, kind=Kind.OBJECT, default={})
_time = partial(Field, kind=Kind.TIMESTAMP, is_nullable=True)
_links = partial(Field, kind=Kind.LINKS, is_computed=True)
_OPTIONAL = Create.OPTIONAL

#: When each interface field came; the driver fields about it came at the same time, but not before 1.30.
INTERFACE_SINCE = {
    InterfaceType.NETWORK: 20,
    InterfaceType.STORAGE: 33,
    InterfaceType.RESCUE: 38,
    InterfaceType.BIOS: 40,
    InterfaceType.FIRMWARE: 86,
}
OTHER_INTERFACES_SINCE = 31

_PROVISION_STATE_BEFORE = (
    Older(2, ProvisionState.AVAILABLE, None),
    Older(39, ProvisionState.INSPECT_WAIT, ProvisionState.INSPECTING),
)


def _interfaces() -> Iterator[Field]:
    for kind in InterfaceType:
        since = INTERFACE_SINCE.get(kind, OTHER_INTERFACES_SINCE)
        yield _string(name=kind.node_field, since=since, create=_OPTIONAL, can_patch=True, length=(0, 255))


NODE = Table("node", "nodes", "nodes", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=_OPTIONAL),
    Field(name="name", kind=Kind.NAME, since=5, is_nullable=True, is_listed=True, create=_OPTIONAL,
          can_patch=True, length=(1, 255)),
    Field(name="instance_uuid", kind=Kind.UUID, is_nullable=True, is_listed=True, create=_OPTIONAL,
          can_patch=True),
    _string(name="power_state", is_listed=True),
    Field(name="provision_state", kind=Kind.STRING, is_listed=True, older=_PROVISION_STATE_BEFORE),
    _flag(name="maintenance", is_listed=True, create=_OPTIONAL, can_patch=True),
    _string(name="maintenance_reason"),
    _string(name="fault", since=42),
    _string(name="target_power_state"),
    _string(name="target_provision_state"),
    _time(name="provision_updated_at"),
    _string(name="last_error"),
    _string(name="reservation"),
    Field(name="driver", kind=Kind.STRING, create=Create.REQUIRED, can_patch=True, length=(1, 255)),
    _object(name="driver_info", create=_OPTIONAL, can_patch=True,
            secret=SECRET_KEYS["driver_info"]),
    _object(name="driver_internal_info", since=3, secret=SECRET_KEYS["driver_internal_info"]),
    _object(name="instance_info", create=_OPTIONAL, can_patch=True,
            secret=SECRET_KEYS["instance_info"]),
    _string(name="instance_name", since=104, create=_OPTIONAL, can_patch=True, length=(1, 255)),
    _object(name="properties", create=_OPTIONAL, can_patch=True),
    _object(name="extra", create=_OPTIONAL, can_patch=True),
    Field(name="chassis_uuid", kind=Kind.UUID, is_nullable=True, create=_OPTIONAL, can_patch=True,
          empty_since=25),
    _flag(name="console_enabled", create=_OPTIONAL),
    _object(name="clean_step", since=7, secret=SECRET_KEYS["clean_step"]),
    _object(name="deploy_step", since=44, secret=SECRET_KEYS["deploy_step"]),
    _object(name="service_step", since=87, secret=SECRET_KEYS["service_step"]),
    _object(name="raid_config", since=12),
    _object(name="target_raid_config", since=12),
    _time(name="inspection_started_at", since=6),
    _time(name="inspection_finished_at", since=6),
    _string(name="resource_class", since=21, create=_OPTIONAL, can_patch=True, length=(0, 80)),
    *_interfaces(),
    Field(name="traits", kind=Kind.LIST, since=37, is_computed=True, needs=("uuid",)),
    Field(name="conductor_group", kind=Kind.STRING, since=46, create=_OPTIONAL, can_patch=True, default="",
          length=(0, 255)),
    _string(name="conductor", since=49, is_computed=True, needs=("uuid", "conductor_group", "driver")),
    Field(name="automated_clean", kind=Kind.BOOLEAN, since=47, is_nullable=True, create=_OPTIONAL,
          can_patch=True),
    _flag(name="protected", since=48, can_patch=True),
    _string(name="protected_reason", since=48, can_patch=True),
    _string(name="owner", since=50, create=_OPTIONAL, can_patch=True, length=(0, 255)),
    _string(name="lessee", since=65, create=_OPTIONAL, can_patch=True, length=(0, 255)),
    _string(name="description", since=51, create=_OPTIONAL, can_patch=True, length=(0, 4096)),
    Field(name="allocation_uuid", kind=Kind.UUID, is_nullable=True, since=52),
    _flag(name="retired", since=61, create=_OPTIONAL, can_patch=True),
    _string(name="retired_reason", since=61, create=_OPTIONAL, can_patch=True),
    _object(name="network_data", since=66, create=_OPTIONAL, can_patch=True),
    _string(name="boot_mode", since=75, create=_OPTIONAL, length=(0, 16)),
    Field(name="secure_boot", kind=Kind.BOOLEAN, is_nullable=True, since=75, create=_OPTIONAL),
    _string(name="shard", since=82, create=_OPTIONAL, can_patch=True, length=(0, 255)),
    Field(name="parent_node", kind=Kind.IDENT, is_nullable=True, since=83, create=_OPTIONAL, can_patch=True,
          length=(1, 36)),
    _flag(name="disable_power_off", since=95, create=_OPTIONAL, can_patch=True),
    _string(name="health", since=109),
    _time(name="created_at"),
    _time(name="updated_at"),
    _links(name="ports"),
    _links(name="states", since=14),
    _links(name="portgroups", since=24),
    _links(name="volume", since=32),
))  # fmt: skip

_FILTERS = (
    Param("chassis_uuid", Kind.UUID),
    Param("instance_uuid", Kind.UUID),
    Param("associated", Kind.BOOLEAN),
    Param("maintenance", Kind.BOOLEAN),
    Param("retired", Kind.BOOLEAN),
    Param("provision_state", Kind.STRING, 9),
    Param("driver", Kind.STRING, 16),
    Param("resource_class", Kind.STRING, 21),
    Param("fault", Kind.STRING, 42),
    Param("conductor_group", Kind.STRING, 46),
    Param("conductor", Kind.STRING, 49),
    Param("owner", Kind.STRING, 50),
    Param("description_contains", Kind.STRING),
    Param("lessee", Kind.STRING, 65),
    Param("project", Kind.STRING),
    Param("shard", Kind.LIST, 82),
    Param("sharded", Kind.BOOLEAN, 82),
    Param("include_children", Kind.BOOLEAN, 83),
    Param("parent_node", Kind.IDENT, 83),
    Param("instance_name", Kind.STRING, 104),
)
LIST = (*_FILTERS, *paging())
LIST_DETAIL = (*_FILTERS, *page_only())
GET = (Param("fields", Kind.LIST, 8),)
PATCH = (Param("reset_interfaces", Kind.BOOLEAN, 45),)

#: The document of GET .../states: some fields of the node, by the same versions.
NODE_STATES = Table("node states", "states", "nodes", tuple(NODE.by_name[name] for name in (
    "console_enabled", "last_error", "power_state", "provision_state", "provision_updated_at",
    "target_power_state", "target_provision_state", "raid_config", "target_raid_config", "boot_mode",
    "secure_boot",
)), has_links=False)  # fmt: skip
