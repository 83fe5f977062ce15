"""Runbooks. Source: v1 contract, fields of ``runbook``."""

from functools import partial

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, paging

SINCE = 92
TRAITS_SINCE = 112

_flag = partial(Field, kind=Kind.BOOLEAN, create=Create.OPTIONAL, can_patch=True, default=False)
_string = partial(Field, kind=Kind.STRING, is_nullable=True, create=Create.OPTIONAL, can_patch=True)

RUNBOOK = Table("runbook", "runbooks", "runbooks", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL),
    Field(name="name", kind=Kind.NAME, is_listed=True, create=Create.REQUIRED, can_patch=True,
          length=(1, 255)),
    _string(name="description", since=112, gate=400, length=(0, 255)),
    Field(name="steps", kind=Kind.LIST, create=Create.REQUIRED, can_patch=True, secret=frozenset()),
    _flag(name="disable_ramdisk"),
    _flag(name="public"),
    _string(name="owner", length=(0, 255)),
    Field(name="extra", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True),
    Field(name="traits", kind=Kind.LIST, since=TRAITS_SINCE, is_computed=True, needs=("uuid",)),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
))  # fmt: skip

LIST = (Param("project", Kind.STRING), *paging(marker=Kind.IDENT))
GET = (Param("fields", Kind.LIST),)
