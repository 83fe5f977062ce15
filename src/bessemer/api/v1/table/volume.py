"""Volume connectors and targets. Source: v1 contract, fields of those two."""

from bessemer.api.v1.table.field import Create, Field, Kind, Param, Table, page_only

SINCE = 32

_UUID = Field(name="uuid", kind=Kind.UUID, is_listed=True, create=Create.OPTIONAL)
_NODE = Field(name="node_uuid", kind=Kind.UUID, is_listed=True, create=Create.REQUIRED, can_patch=True)
_EXTRA = Field(name="extra", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True)
_TIMES = (
    Field(name="created_at", kind=Kind.TIMESTAMP),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True),
)


def _text(name: str, most: int) -> Field:
    return Field(name=name, kind=Kind.STRING, is_listed=True, create=Create.REQUIRED, can_patch=True,
                 length=(1, most))  # fmt: skip


VOLUME_CONNECTOR = Table("volume connector", "connectors", "volume/connectors", (
    _UUID,
    _NODE,
    _text("type", 32),
    _text("connector_id", 255),
    _EXTRA,
    *_TIMES,
))  # fmt: skip

VOLUME_TARGET = Table("volume target", "targets", "volume/targets", (
    _UUID,
    _NODE,
    _text("volume_type", 64),
    Field(name="boot_index", kind=Kind.INTEGER, is_listed=True, create=Create.REQUIRED, can_patch=True,
          range=(0, 2**31 - 1)),
    _text("volume_id", 36),
    Field(name="properties", kind=Kind.OBJECT, default={}, create=Create.OPTIONAL, can_patch=True,
          secret=frozenset()),
    _EXTRA,
    *_TIMES,
))  # fmt: skip

LIST = (
    Param("node", Kind.IDENT),
    Param("project", Kind.STRING),
    Param("fields", Kind.LIST),
    Param("detail", Kind.BOOLEAN),
    *page_only(),
)
GET = (Param("fields", Kind.LIST),)
