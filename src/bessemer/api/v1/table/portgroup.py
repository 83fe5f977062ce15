"""Port groups. Source: v1 contract, fields of ``portgroup``."""

from functools import partial

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, page_only, paging

SINCE = 23
#: The lists that join port groups with nodes and ports.
BELOW_SINCE = 24

_object = partial(Field, kind=Kind.OBJECT, default={})
_string = partial(Field, kind=Kind.STRING, is_nullable=True, create=Create.OPTIONAL, can_patch=True)

PORTGROUP = Table("portgroup", "portgroups", "portgroups", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL),
    Field(name="name", kind=Kind.NAME, is_nullable=True, is_listed=True, create=Create.OPTIONAL,
          can_patch=True, length=(1, 255)),
    Field(name="address", kind=Kind.MAC, is_nullable=True, is_listed=True, create=Create.OPTIONAL,
          can_patch=True),
    Field(name="node_uuid", kind=Kind.UUID, create=Create.REQUIRED, can_patch=True),
    _object(name="extra", create=Create.OPTIONAL, can_patch=True),
    _object(name="internal_info"),
    Field(name="standalone_ports_supported", kind=Kind.BOOLEAN, default=True, create=Create.OPTIONAL,
          can_patch=True),
    Field(name="mode", kind=Kind.STRING, since=26, create=Create.OPTIONAL, can_patch=True, length=(1, 255)),
    _object(name="properties", since=26, create=Create.OPTIONAL, can_patch=True),
    _string(name="physical_network", since=102, length=(1, 64)),
    _string(name="category", since=103, length=(0, 80)),
    Field(name="dynamic_portgroup", kind=Kind.BOOLEAN, since=111),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
    Field(name="ports", kind=Kind.LINKS, is_computed=True),
))  # fmt: skip

_FILTERS = (
    Param("node", Kind.IDENT),
    Param("address", Kind.MAC),
    Param("shard", Kind.LIST, 106),
    Param("conductor_groups", Kind.LIST),
)
LIST = (*_FILTERS, *paging())
LIST_DETAIL = (*_FILTERS, *page_only())
GET = (Param("fields", Kind.LIST, 8),)
