"""Ports. Source: v1 contract, fields of ``port``."""

from functools import partial

from bessemer.api.v1.table.field import Create, Field, Key, Kind, Param, Table, page_only, paging

_string = partial(Field, kind=Kind.STRING, is_nullable=True, create=Create.OPTIONAL, can_patch=True)
_flag = partial(Field, kind=Kind.BOOLEAN, create=Create.OPTIONAL, can_patch=True)
_object = partial(Field, kind=Kind.OBJECT, default={})

PORT = Table("port", "ports", "ports", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL),
    Field(name="address", kind=Kind.MAC, is_listed=True, create=Create.REQUIRED, can_patch=True),
    Field(name="node_uuid", kind=Kind.UUID, create=Create.OPTIONAL, can_patch=True),
    Field(name="node_ident", kind=Kind.IDENT, since=94, create=Create.OPTIONAL, can_patch=True,
          can_select=False, is_computed=True, length=(1, 255)),
    _object(name="extra", create=Create.OPTIONAL, can_patch=True),
    _object(name="internal_info", since=18),
    _object(name="local_link_connection", since=19, create=Create.OPTIONAL, can_patch=True, keys=(
        Key("network_type", 64), Key("vtep-logical-switch", 90, 104), Key("vtep-physical-switch", 90, 104))),
    _flag(name="pxe_enabled", since=19, default=True),
    Field(name="portgroup_uuid", kind=Kind.UUID, since=24, is_nullable=True, create=Create.OPTIONAL,
          can_patch=True),
    _string(name="physical_network", since=34, length=(1, 64)),
    _flag(name="is_smartnic", since=53, default=False),
    Field(name="name", kind=Kind.NAME, since=88, is_nullable=True, create=Create.OPTIONAL, can_patch=True,
          length=(1, 255)),
    _string(name="description", since=97, length=(0, 255)),
    _string(name="vendor", since=100, length=(0, 32)),
    _string(name="category", since=101, length=(0, 80)),
    _flag(name="available_for_dynamic_portgroup", since=111, default=True),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
))  # fmt: skip

_FILTERS = (
    Param("node", Kind.IDENT),
    Param("node_uuid", Kind.UUID),
    Param("address", Kind.MAC),
    Param("portgroup", Kind.IDENT, 24),
    Param("shard", Kind.LIST, 82),
    Param("description_contains", Kind.STRING, 97),
    Param("conductor_groups", Kind.LIST),
)
LIST = (*_FILTERS, *paging())
LIST_DETAIL = (*_FILTERS, *page_only())
GET = (Param("fields", Kind.LIST, 8),)
