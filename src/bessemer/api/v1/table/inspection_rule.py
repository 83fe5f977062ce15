"""Inspection rules. Source: v1 contract, fields of ``inspection_rule``."""

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, paging
from bessemer.domain.inspection.rule import PRIORITIES

SINCE = 96

INSPECTION_RULE = Table("inspection rule", "inspection_rules", "inspection_rules", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL),
    Field(name="description", kind=Kind.STRING, is_nullable=True, is_listed=True, create=Create.OPTIONAL,
          can_patch=True, length=(0, 255)),
    Field(name="priority", kind=Kind.INTEGER, is_listed=True, create=Create.OPTIONAL, can_patch=True,
          default=0, range=PRIORITIES),
    Field(name="phase", kind=Kind.STRING, is_listed=True, create=Create.OPTIONAL, can_patch=True,
          default="main"),
    Field(name="sensitive", kind=Kind.BOOLEAN, create=Create.OPTIONAL, can_patch=True, default=False),
    Field(name="conditions", kind=Kind.LIST, is_computed=True, needs=("conditions", "sensitive"), default=[],
          create=Create.OPTIONAL, can_patch=True),
    Field(name="actions", kind=Kind.LIST, is_computed=True, needs=("actions", "sensitive"),
          create=Create.REQUIRED, can_patch=True),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
))  # fmt: skip

LIST = (Param("phase", Kind.STRING), *paging())
GET = (Param("fields", Kind.LIST),)
