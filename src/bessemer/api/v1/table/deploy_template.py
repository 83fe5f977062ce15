"""Deploy templates. Source: v1 contract, fields of ``deploy_template``."""

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, paging

SINCE = 55

DEPLOY_TEMPLATE = Table("deploy template", "deploy_templates", "deploy_templates", (
    Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL),
    Field(name="name", kind=Kind.NAME, is_listed=True, create=Create.REQUIRED, can_patch=True,
          length=(1, 255)),
    Field(name="steps", kind=Kind.LIST, create=Create.REQUIRED, can_patch=True, secret=frozenset()),
    Field(name="extra", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True),
    # Taken and dropped: clients send it, nobody ever reads it.
    Field(name="description", kind=Kind.STRING, is_nullable=True, create=Create.OPTIONAL, can_select=False,
          is_computed=True, length=(0, 255)),
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
))  # fmt: skip

LIST = paging(marker=Kind.IDENT)
GET = (Param("fields", Kind.LIST),)
