"""What answers look like: which fields a version and a selection show, and rows turned into JSON.

A view is compiled once per table, version and selection. It tells the store which columns to fetch, and
fills each row into a template; JSON columns are passed on as the text they are. Nothing here looks inside a
document except to mask secrets.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Literal

import msgspec

from bessemer.api.v1 import value
from bessemer.api.v1.mask import Masker
from bessemer.api.v1.table.field import Field, Kind, Table
from bessemer.kernel.error import InvalidValue
from bessemer.store.together import together

#: The fields shown by default in a list, all of them, or those named.
Selection = Literal["listed", "all"] | tuple[str, ...]
Computed = Mapping[str, Callable[..., Any]]

_NOTHING: Computed = {}
_MASKED: frozenset[str] = frozenset()
_encode = msgspec.json.Encoder().encode
#: Where the identity goes in links that are written before it is known. Addresses are of Latin letters.
_IDENTITY = "\ue000"
_DOCUMENTS = (Kind.OBJECT, Kind.LIST)
#: Fields every resource has besides those of its table.
_LINKS = Field(name="links", kind=Kind.LINKS, is_computed=True)


def select(table: Table, names: Sequence[str] | None, minor: int, otherwise: Selection) -> Selection:
    """The selection that ``fields=`` asks for.

    Raises:
        InvalidValue: A field nobody knows.
        Refusal: 406: a field newer than the request's version.
    """
    if names is None:
        return otherwise
    chosen = tuple(sorted({name.lower() for name in names}))
    for name in chosen:
        row = _LINKS if name == _LINKS.name else table.by_name.get(name)
        if row is None or not row.can_select:
            raise InvalidValue(f"'{name[:80]}' is not a field of a {table.noun}.")
        if not row.is_in(minor):
            raise value.too_new(name, row.since)
    return chosen


class View:
    """One way of showing a resource.

    ``columns`` are what a row must hold, in this order: the identity of the resource, the stored fields that
    are shown as they are, those that need a look, then what computed fields need besides. ``computed`` names
    those. The secrets in the fields ``revealed`` are not masked.

    ``is_joined``: the fields that are shown as they are come ``together``, written as JSON by the store.
    """

    def __init__(
        self, table: Table, minor: int, selection: Selection, revealed: frozenset[str], *, is_joined: bool
    ) -> None:
        shown = [
            row for row in table.fields if row.is_in(minor) and row.can_select and _is_in(row, selection)
        ]
        computed = [row for row in shown if row.is_computed and row.kind is not Kind.LINKS]
        writers = {row.name: _writer(row, minor, revealed) for row in shown if not row.is_computed}
        plain = [name for name, write in writers.items() if write is _json or (is_joined and write is _text)]
        special = {name: write for name, write in writers.items() if name not in plain}
        before = (table.identity, *([together(plain)] if is_joined and plain else plain))
        hidden = {name: None for row in computed for name in row.needs if name not in (*before, *special)}
        self.table = table
        self.columns = (*before, *special, *hidden)
        self.computed = tuple(row.name for row in computed)
        self._plain = slice(1, len(before))
        # No cycles here: the garbage collector need not look at thousands of records.
        self._record = None if is_joined or not plain else msgspec.defstruct("Record", plain, gc=False)
        self._special = list(enumerate(special.values(), start=len(before)))
        self._needs = [(row.name, [self.columns.index(name) for name in row.needs]) for row in computed]
        self._links = (*(row.name for row in shown if row.kind is Kind.LINKS), *_own_links(table))
        named = [f'"{name}":%s' for name in (*special, *self.computed)]
        self._template = "{" + ",".join(named + ["%s"] * (bool(plain) + bool(self._links))) + "}"

    def render(self, row: Sequence[Any], links: "Links", computed: Computed = _NOTHING) -> msgspec.Raw:
        """A row as JSON. ``computed`` makes, by name, the fields that no column holds."""
        parts = [write(row[index]) for index, write in self._special]
        for name, needs in self._needs:
            parts.append(_json(computed[name](*[row[index] for index in needs])))
        if self._record is not None:
            parts.append(_json(self._record(*row[self._plain]))[1:-1])
        else:
            parts += row[self._plain]
        if self._links:
            parts.append(links.members(row[0], self._links))
        return msgspec.Raw(self._template % tuple(parts))

    def row_of(self, record: Any) -> Sequence[Any]:
        """The row of a record of the domain, or of anything that has the columns as attributes."""
        return [getattr(record, column) for column in self.columns]

    def row_from(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The row of a resource that is put together from several places."""
        return [values[column] for column in self.columns]


@lru_cache(maxsize=256)
def view(
    table: Table,
    minor: int,
    selection: Selection,
    revealed: frozenset[str] = _MASKED,
    *,
    is_joined: bool = False,
) -> View:
    """See ``View``. Made once."""
    return View(table, minor, selection, revealed, is_joined=is_joined)


def _is_in(row: Field, selection: Selection) -> bool:
    if selection == "all":
        return True
    return row.is_listed if selection == "listed" else row.name in selection


def _own_links(table: Table) -> Sequence[str]:
    return (_LINKS.name,) if table.has_links else ()


def _writer(row: Field, minor: int, revealed: frozenset[str]) -> Callable[[Any], str]:
    """What makes JSON of a stored field."""
    if row.kind in _DOCUMENTS:
        if row.secret is None:
            return _text
        return partial(_with_secrets, None if row.name in revealed else Masker(row.secret))
    aliases = {alias.value: alias.shown for alias in row.older if minor < alias.below}
    return (lambda held: _json(aliases.get(held, held))) if aliases else _json


def _json(value: Any) -> str:
    return _encode(value).decode()


def _text(held: Any) -> str:
    """A document, which may be JSON text already."""
    return held if isinstance(held, str) else _json(held)


def _with_secrets(mask: Masker | None, held: Any) -> str:
    """A document that may hold secrets, which are shown where there is no ``mask``."""
    if mask is None or held == "{}":
        return _text(held)
    return _json(mask(held))


class Links:
    """Addresses of one kind of resource, as clients reach this API at ``base`` (no trailing slash).

    They are put together as JSON text, since every item of every list carries some.
    Source: v1 contract, common_to_all.links.
    """

    def __init__(self, base: str, path: str, *, has_bookmark: bool = True) -> None:
        self._address = f"{base}/v1/{path}/"
        self._bookmark = f"{base}/{path}/" if has_bookmark else None
        self._pieces: dict[Sequence[str], Sequence[str]] = {}

    def members(self, identity: str, names: Sequence[str]) -> str:
        """Members of a JSON object: lists of links to the sub-resources ``names``; ``links`` is the resource
        itself."""
        pieces = self._pieces.get(names)
        if pieces is None:
            members = ",".join(f'"{name}":{self._list(name)}' for name in names)
            pieces = self._pieces[names] = members.split(_IDENTITY)
        return _json(identity)[1:-1].join(pieces)

    def address(self, identity: str) -> str:
        return self._address + identity

    def _list(self, name: str) -> str:
        tail = _IDENTITY if name == _LINKS.name else f"{_IDENTITY}/{name}"
        links = [{"href": self._address + tail, "rel": "self"}]
        if self._bookmark is not None:
            links.append({"href": self._bookmark + tail, "rel": "bookmark"})
        # Chassis have shown the links of their nodes as a list inside a list since the first version.
        return _json([links] if name == "nodes" else links)
