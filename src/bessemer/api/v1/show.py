"""Resources on the wire: one, or a page of them, as the request's version and selection show them."""

from collections.abc import Sequence
from typing import Any

from bessemer.api.v1 import value
from bessemer.api.v1.call import Answer, Call, ok, ok_list
from bessemer.api.v1.page import following
from bessemer.api.v1.table.field import Table
from bessemer.api.v1.view import Computed, View, select, view
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.page import Page

_NOTHING: Computed = {}


def full(table: Table, call: Call, revealed: frozenset[str] = frozenset()) -> View:
    """The view of one resource: all fields, or those that ``fields=`` names. See ``View`` for ``revealed``.

    Raises:
        InvalidValue: A field nobody knows.
        Refusal: 406: a field newer than the request's version.
    """
    selection = select(table, call.query.get("fields"), call.version.minor, "all")
    return view(table, call.version.minor, selection, revealed)


def one(
    call: Call, shown: View, row: Sequence[Any], computed: Computed = _NOTHING, *, status: int = 200
) -> Answer:
    """``row`` as an answer; one that was created says where it is."""
    links = call.links(shown.table)
    location = links.address(row[0]) if status == 201 else None
    return ok(shown.render(row, links, computed), status, location=location)


def many(
    call: Call, shown: View, rows: Sequence[Sequence[Any]], page: Page, computed: Computed = _NOTHING
) -> Answer:
    """A page of a list."""
    links = call.links(shown.table)
    items = (shown.render(row, links, computed) for row in rows)
    return ok_list(shown.table.wrapper, items, following(call, page, [row[0] for row in rows]))


def ident(call: Call, table: Table, *, name_since: int | None = None) -> str:
    """The UUID or name in the path, by the name of the resource.

    Raises:
        InvalidValue: It is neither.
        NotFound: It is a name, and the request's version knows none for this resource.
    """
    text = call.params[table.noun]
    if is_uuid(text):
        return text.lower()
    since = table.by_name["name"].since if name_since is None else name_since
    if call.version.minor < since:
        raise NotFound(f"There is no {table.noun} {text[:80]!r}.")
    return value.ident(table.noun, text, call.version.minor)


def uuid(call: Call, table: Table) -> str:
    """The UUID in the path. Raises InvalidValue."""
    return value.uuid(table.noun, call.params[table.noun])


def check_word(name: str, word: str, words: Sequence[str]) -> str:
    """Raises InvalidValue when ``word`` is not one of ``words``."""
    if word not in words:
        raise InvalidValue(f"'{name}' must be one of: {', '.join(words)}.")
    return word
