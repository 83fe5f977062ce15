"""Chassis. Source: v1 contract, fields of ``chassis``."""

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, page_only, paging

CHASSIS = Table("chassis", "chassis", "chassis", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL, can_patch=True),
    Field(name="description", kind=Kind.STRING, is_nullable=True, is_listed=True, create=Create.OPTIONAL,
          can_patch=True, length=(0, 255)),
    Field(name="extra", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
    Field(name="nodes", kind=Kind.LINKS, is_computed=True),
))  # fmt: skip

LIST = paging()
LIST_DETAIL = tuple(page_only())
GET = (Param("fields", Kind.LIST, 8),)
