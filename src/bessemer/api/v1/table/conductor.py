"""Conductors. Source: v1 contract, fields of ``conductor``."""

from bessemer.api.v1.table.field import Field, Kind, Param, Table, paging

SINCE = 49

CONDUCTOR = Table("conductor", "conductors", "conductors", (
    Field(name="hostname", kind=Kind.STRING, is_listed=True),
    Field(name="conductor_group", kind=Kind.STRING, is_listed=True),
    Field(name="alive", kind=Kind.BOOLEAN, is_listed=True, is_computed=True,
          needs=("hostname",)),
    Field(name="drivers", kind=Kind.LIST),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP),
), identity="hostname")  # fmt: skip

LIST = paging(marker=Kind.STRING)
GET = (Param("fields", Kind.LIST, 8),)
