"""A port: one network interface card of a node, known by its MAC address."""

from typing import Any

import msgspec

from bessemer.kernel.clock import Timestamp

JsonObject = dict[str, Any]


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a port. Field names and meanings are those of the v1 API."""

    uuid: str
    address: str
    node_uuid: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    name: str | None = None
    description: str | None = None
    portgroup_uuid: str | None = None
    pxe_enabled: bool = True
    physical_network: str | None = None
    is_smartnic: bool = False
    vendor: str | None = None
    category: str | None = None
    available_for_dynamic_portgroup: bool = True
    extra: JsonObject = {}
    internal_info: JsonObject = {}
    local_link_connection: JsonObject = {}
