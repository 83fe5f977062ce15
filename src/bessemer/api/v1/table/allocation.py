"""Allocations. Source: v1 contract, fields of ``allocation``."""

from functools import partial

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, page_only

SINCE = 52
UPDATE_SINCE = 57

_listed = partial(Field, is_listed=True)
_string = partial(Field, kind=Kind.STRING, is_nullable=True, is_listed=True)

ALLOCATION = Table("allocation", "allocations", "allocations", (
    _listed(name="uuid", kind=Kind.UUID, create=Create.OPTIONAL),
    _listed(name="name", kind=Kind.NAME, is_nullable=True, create=Create.OPTIONAL, can_patch=True,
            length=(1, 255)),
    _string(name="resource_class", create=Create.OPTIONAL, length=(1, 80)),
    _listed(name="traits", kind=Kind.LIST, default=[], create=Create.OPTIONAL),
    _listed(name="candidate_nodes", kind=Kind.LIST, default=[], create=Create.OPTIONAL),
    # The node that is recorded as allocated; read as node_uuid.
    Field(name="node", kind=Kind.IDENT, since=58, gate=400, is_nullable=True, create=Create.OPTIONAL,
          can_select=False, is_computed=True, length=(1, 255)),
    _listed(name="node_uuid", kind=Kind.UUID, is_nullable=True),
    _string(name="state"),
    _string(name="last_error"),
    _listed(name="extra", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True),
    _string(name="owner", since=60, create=Create.OPTIONAL, length=(0, 255)),
    _listed(name="created_at", kind=Kind.TIMESTAMP),
    _listed(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
))  # fmt: skip

LIST = (
    Param("node", Kind.IDENT),
    Param("resource_class", Kind.STRING),
    Param("state", Kind.STRING),
    Param("owner", Kind.STRING, 60),
    Param("fields", Kind.LIST),
    *page_only(),
)
GET = (Param("fields", Kind.LIST),)
