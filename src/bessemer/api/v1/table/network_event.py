"""Events that the network service reports. Source: v1 contract, routes: events."""

from bessemer.api.v1.table.field import Body, Kind, member

SINCE = 54
NAMES = ("network.bind_port", "network.unbind_port", "network.delete_port")

EVENTS = Body((member("events", Kind.LIST, is_required=True),))
EVENT = Body((
    member("event", Kind.STRING, is_required=True),
    member("port_id", Kind.UUID, is_required=True),
    member("mac_address", Kind.MAC, is_required=True),
    member("status", Kind.STRING, is_required=True),
    member("device_id", Kind.UUID, is_nullable=True),
    member("binding:host_id", Kind.UUID, is_nullable=True),
    member("binding:vnic_type", Kind.STRING, is_nullable=True),
))  # fmt: skip
