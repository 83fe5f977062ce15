"""What answers look like: which fields a version and a selection show, and rows turned into wire records.

A view is compiled once per table, version and selection. It tells the store which columns to fetch, and turns
each row into a record that msgspec encodes at once; JSON columns are passed on as the text they are. Nothing
here looks inside a document except to mask secrets.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec

from bessemer.api.v1 import value
from bessemer.api.v1.mask import Masker
from bessemer.api.v1.table.field import Field, Kind, Table
from bessemer.kernel.error import InvalidValue

#: The fields shown by default in a list, all of them, or those named.
Selection = Literal["listed", "all"] | tuple[str, ...]
Computed = Mapping[str, Callable[..., Any]]

_NOTHING: Computed = {}
_MASKED: frozenset[str] = frozenset()
_EMPTY = msgspec.Raw(b"{}")
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

    ``columns`` are what a row must hold, in this order: first the identity of the resource, then the stored
    fields that are shown, then what computed fields need besides. ``computed`` names those. The secrets in
    the fields ``revealed`` are not masked.
    """

    def __init__(
        self, table: Table, minor: int, selection: Selection, revealed: frozenset[str] = _MASKED
    ) -> None:
        shown = [
            row for row in table.fields if row.is_in(minor) and row.can_select and _is_in(row, selection)
        ]
        stored = [row for row in shown if not row.is_computed and row.name != table.identity]
        computed = [row for row in shown if row.is_computed and row.kind is not Kind.LINKS]
        visible = (table.identity, *(row.name for row in stored))
        hidden = {name: None for row in computed for name in row.needs if name not in visible}
        self.table = table
        self.columns = (*visible, *hidden)
        self.computed = tuple(row.name for row in computed)
        shows_identity = any(row.name == table.identity for row in shown)
        self._visible = slice(0 if shows_identity else 1, len(visible))
        first = self._visible.start
        self._documents = [n - first for n, row in enumerate(stored, start=1) if row.kind in _DOCUMENTS]
        self._maskers = {
            n - first: Masker(row.secret)
            for n, row in enumerate(stored, start=1)
            if row.secret is not None and row.name not in revealed
        }
        self._aliases = [
            (n - first, aliases) for n, row in enumerate(stored, start=1) if (aliases := _aliases(row, minor))
        ]
        self._needs = [(row.name, [self.columns.index(name) for name in row.needs]) for row in computed]
        self._link_fields = tuple(row.name for row in shown if row.kind is Kind.LINKS)
        self._has_links = table.has_links
        own_links = (_LINKS.name,) if table.has_links else ()
        names = (*visible[self._visible.start :], *self.computed, *self._link_fields, *own_links)
        # No cycles here: the garbage collector need not look at thousands of records.
        self._record = msgspec.defstruct("Record", names, gc=False)

    def render(self, row: Sequence[Any], links: "Links", computed: Computed = _NOTHING) -> msgspec.Struct:
        """A row as a record to encode. ``computed`` makes, by name, the fields that no column holds."""
        values = list(row[self._visible])
        for index in self._documents:
            held = values[index]
            if held == "{}":
                values[index] = _EMPTY
            elif index in self._maskers:
                values[index] = self._maskers[index](held)
            elif isinstance(held, str):
                values[index] = msgspec.Raw(held)
        for index, aliases in self._aliases:
            values[index] = aliases.get(values[index], values[index])
        for name, needs in self._needs:
            values.append(computed[name](*[row[index] for index in needs]))
        if self._link_fields:
            values += links.below(row[0], self._link_fields)
        if self._has_links:
            values.append(links.of(row[0]))
        return self._record(*values)

    def row_of(self, record: Any) -> Sequence[Any]:
        """The row of a record of the domain, or of anything that has the columns as attributes."""
        return [getattr(record, column) for column in self.columns]

    def row_from(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The row of a resource that is put together from several places."""
        return [values[column] for column in self.columns]


@lru_cache(maxsize=256)
def view(table: Table, minor: int, selection: Selection, revealed: frozenset[str] = _MASKED) -> View:
    return View(table, minor, selection, revealed)


def _is_in(row: Field, selection: Selection) -> bool:
    if selection == "all":
        return True
    return row.is_listed if selection == "listed" else row.name in selection


def _aliases(row: Field, minor: int) -> dict[Any, str | None]:
    """What clients of this version see in place of some values."""
    return {alias.value: alias.shown for alias in row.older if minor < alias.below}


class Links:
    """Addresses of one kind of resource, as clients reach this API at ``base`` (no trailing slash).

    They are put together as JSON text, since every item of every list carries some.
    Source: v1 contract, common_to_all.links.
    """

    def __init__(self, base: str, path: str, *, has_bookmark: bool = True) -> None:
        self._address = f"{base}/v1/{path}/"
        self._before = '[{"href":"' + _inside(self._address)
        self._between = '","rel":"self"}'
        self._after = "]"
        if has_bookmark:
            self._between += ',{"href":"' + _inside(f"{base}/{path}/")
            self._after = '","rel":"bookmark"}]'
        self._has_bookmark = has_bookmark

    def of(self, identity: str) -> msgspec.Raw:
        return msgspec.Raw(self._text(_inside(identity)))

    def below(self, identity: str, names: Sequence[str]) -> list[msgspec.Raw]:
        """Links to sub-resources, for each of ``names``."""
        inside = _inside(identity)
        before, between, after = self._before, self._between, self._after
        if names == ("nodes",):
            # Chassis have shown the links of their nodes as a list inside a list since the first version.
            before, after = f"[{before}", f"{after}]"
        return [msgspec.Raw(f"{before}{inside}/{name}{between}{inside}/{name}{after}") for name in names]

    def address(self, identity: str) -> str:
        return self._address + identity

    def _text(self, tail: str) -> str:
        again = tail if self._has_bookmark else ""
        return f"{self._before}{tail}{self._between}{again}{self._after}"


def _inside(text: str) -> str:
    """``text`` as it stands between the quotes of a JSON string."""
    return msgspec.json.encode(text)[1:-1].decode()
