"""Drivers: hardware types on live conductors. Source: v1 contract, fields of ``driver``."""

from collections.abc import Iterator

from bessemer.api.v1.table.field import Field, Kind, Param, Table
from bessemer.api.v1.table.node import INTERFACE_SINCE
from bessemer.domain.interface import InterfaceType

_INTERFACES_SINCE = 30


def _interfaces() -> Iterator[Field]:
    for kind in InterfaceType:
        since = max(_INTERFACES_SINCE, INTERFACE_SINCE.get(kind, 0))
        yield Field(name=f"default_{kind}_interface", kind=Kind.STRING, since=since, is_nullable=True)
        yield Field(name=f"enabled_{kind}_interfaces", kind=Kind.LIST, since=since, is_nullable=True)


DRIVER = Table("driver", "drivers", "drivers", (
    Field(name="name", kind=Kind.STRING, is_listed=True),
    Field(name="hosts", kind=Kind.LIST, is_listed=True),
    Field(name="type", kind=Kind.STRING, since=30, is_listed=True),
    Field(name="properties", kind=Kind.LINKS, since=14, is_listed=True, is_computed=True),
    *_interfaces(),
), identity="name")  # fmt: skip

LIST = (
    Param("type", Kind.STRING, 30),
    Param("detail", Kind.BOOLEAN, 30),
    Param("fields", Kind.LIST, 77),
)
GET = (Param("fields", Kind.LIST, 77),)

RAID_SINCE = 12
