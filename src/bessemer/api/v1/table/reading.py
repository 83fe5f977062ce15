"""What was read from a node: BIOS settings and firmware components.

Source: v1 contract, fields of ``bios_setting`` and ``firmware_component``.
"""

from functools import partial

from bessemer.api.v1.table.field import Field, Kind, Param, Table

BIOS_SINCE = 40
FIRMWARE_SINCE = 86
_REGISTRY_SINCE = 74

_registry = partial(Field, since=_REGISTRY_SINCE, is_nullable=True)
_text = partial(Field, kind=Kind.STRING, is_listed=True, is_nullable=True)
_TIMES = (
    Field(name="created_at", kind=Kind.TIMESTAMP, is_listed=True),
    Field(name="updated_at", kind=Kind.TIMESTAMP, is_nullable=True, is_listed=True),
)

BIOS_SETTING = Table("BIOS setting", "bios", "nodes/{node}/bios", (
    Field(name="name", kind=Kind.STRING, is_listed=True),
    _text(name="value"),
    _registry(name="attribute_type", kind=Kind.STRING),
    _registry(name="allowable_values", kind=Kind.LIST),
    _registry(name="lower_bound", kind=Kind.INTEGER),
    _registry(name="upper_bound", kind=Kind.INTEGER),
    _registry(name="min_length", kind=Kind.INTEGER),
    _registry(name="max_length", kind=Kind.INTEGER),
    _registry(name="read_only", kind=Kind.BOOLEAN),
    _registry(name="reset_required", kind=Kind.BOOLEAN),
    _registry(name="unique", kind=Kind.BOOLEAN),
    *_TIMES,
), identity="name")  # fmt: skip

FIRMWARE_COMPONENT = Table("firmware component", "firmware", "nodes/{node}/firmware", (
    Field(name="component", kind=Kind.STRING, is_listed=True),
    Field(name="initial_version", kind=Kind.STRING, is_listed=True),
    _text(name="current_version"),
    _text(name="last_version_flashed"),
    _text(name="vendor", since=114),
    _text(name="model", since=114),
    _text(name="serial_number", since=114),
    *_TIMES,
), identity="component", has_links=False)  # fmt: skip

BIOS_LIST = (
    Param("detail", Kind.BOOLEAN, _REGISTRY_SINCE, gate=400),
    Param("fields", Kind.LIST, _REGISTRY_SINCE, gate=400),
)
FIRMWARE_LIST = (Param("detail", Kind.BOOLEAN), Param("fields", Kind.LIST))
