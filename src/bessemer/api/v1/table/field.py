"""The vocabulary of the tables: a field, a table of fields, a query parameter, the body of a call.

``since`` and ``until`` are minor versions (``34`` is 1.34): outside them a field is left out of answers and
refused in requests. Nothing else in ``api/v1`` compares versions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from bessemer.api.v1.version import MAX, MIN


class Kind(StrEnum):
    """What a value is on the wire, in bodies and in query strings."""

    STRING = "string"
    NAME = "name"  # unique name that a path may carry
    UUID = "uuid"
    IDENT = "uuid or name"
    MAC = "MAC address"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    OBJECT = "object"
    LIST = "list"
    TIMESTAMP = "timestamp"
    LINKS = "links"
    ANY = "any"


class Create(StrEnum):
    """Whether a field may be in the body that makes the resource."""

    NO = "no"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Older:
    """Clients below ``below`` see ``shown`` where the value is ``value``."""

    below: int
    value: str
    shown: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """A member of an object with versions of its own."""

    name: str
    since: int
    until: int = MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a resource or member of a body.

    ``default`` is what leaving it out, removing it, or a null where null is no value, comes to. ``length``
    bounds a string's characters, ``range`` an integer. ``secret`` turns masking on and names keys masked
    besides the usual ones. ``gate`` is the status for writing a field newer than the request's version.
    ``empty_since``: from when a value, once set, can be taken away.
    ``is_computed``: no column of the store; made from the columns in ``needs`` when it is shown. ``keys`` are
    members of an object that came later, or went, with their own versions.
    """

    name: str
    kind: Kind
    since: int = MIN
    until: int = MAX
    gate: int = 406
    is_listed: bool = False
    empty_since: int = MIN
    is_computed: bool = False
    needs: tuple[str, ...] = ()
    is_nullable: bool = False
    create: Create = Create.NO
    can_patch: bool = False
    can_select: bool = True
    default: Any = None
    length: tuple[int, int] | None = None
    range: tuple[int, int] | None = None
    secret: frozenset[str] | None = None
    older: tuple[Older, ...] = ()
    keys: tuple[Key, ...] = ()

    def is_in(self, minor: int) -> bool:
        return self.since <= minor <= self.until

    @property
    def can_sort(self) -> bool:
        return not self.is_computed and self.kind not in (Kind.OBJECT, Kind.LIST)


@dataclass(frozen=True, eq=False)
class Table:
    """One resource. ``noun`` is used in messages, ``wrapper`` around lists, ``path`` in links.

    ``identity`` is the field that links and markers carry. ``has_bookmark``: whether its links name the
    unversioned address too.
    """

    noun: str
    wrapper: str
    path: str
    fields: tuple[Field, ...]
    identity: str = "uuid"
    has_links: bool = True
    has_bookmark: bool = True
    by_name: Mapping[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {row.name: row for row in self.fields})

    @cached_property
    def roots(self) -> Mapping[str, Field]:
        """The fields a patch may touch."""
        return {row.name: row for row in self.fields if row.can_patch}

    @cached_property
    def creation(self) -> "Body":
        """The body that makes one."""
        rows = tuple(row for row in self.fields if row.create is not Create.NO)
        return Body(rows, is_optional=all(row.create is not Create.REQUIRED for row in rows))


@dataclass(frozen=True, slots=True)
class Param:
    """A query parameter. ``gate`` is the status for using it below ``since``."""

    name: str
    kind: Kind
    since: int = MIN
    gate: int = 406


@dataclass(frozen=True, eq=False)
class Body:
    """The members an object in a request may have. ``is_optional``: the call does without a body.

    ``is_open``: other members are let through as they are.
    """

    fields: tuple[Field, ...] = ()
    is_optional: bool = False
    is_open: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        return {row.name: row for row in self.fields}

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.fields if row.create is Create.REQUIRED)


def member(name: str, kind: Kind, *, is_required: bool = False, **more: Any) -> Field:
    """A member of a body that is no resource."""
    return Field(name=name, kind=kind, create=Create.REQUIRED if is_required else Create.OPTIONAL, **more)


def paging(*, detail_since: int = 43, fields_since: int = 8, marker: Kind = Kind.UUID) -> tuple[Param, ...]:
    """The parameters of a list that has pages."""
    return (
        Param("fields", Kind.LIST, fields_since),
        Param("detail", Kind.BOOLEAN, detail_since, gate=400),
        *page_only(marker),
    )


def page_only(marker: Kind = Kind.UUID) -> Sequence[Param]:
    """Those of a list that always shows everything."""
    return (
        Param("marker", marker),
        Param("limit", Kind.INTEGER),
        Param("sort_key", Kind.STRING),
        Param("sort_dir", Kind.STRING),
    )
