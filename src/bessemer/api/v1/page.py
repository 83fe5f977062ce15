"""Pages of lists: what the query asks for, and the address of the next one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

from bessemer.api.v1 import value
from bessemer.api.v1.call import Call
from bessemer.api.v1.table.field import Table
from bessemer.api.v1.view import Selection, select
from bessemer.kernel.error import InvalidValue
from bessemer.store.page import Page


def selection(table: Table, call: Call) -> Selection:
    """Which fields the items of a list show, by ``fields`` and ``detail``.

    Raises:
        InvalidValue: Both are given, or a field is unknown.
        Refusal: 406: a field is too new.
    """
    names, has_detail = call.query.get("fields"), call.query.get("detail", False)
    if names is not None and has_detail:
        raise InvalidValue("'fields' and 'detail' can not be used together.")
    return select(table, names, call.version.minor, "all" if has_detail else "listed")


def page(
    table: Table,
    call: Call,
    *,
    most: int,
    sort_key: str = "id",
    stored: Mapping[str, str] = MappingProxyType({}),
) -> Page:
    """The page asked for. ``stored`` gives the store's name of sort keys that are called otherwise there.

    Raises:
        InvalidValue: A limit below 1, a sort key that is none, a direction that is none.
        Refusal: 406: the sort key is a field too new for the request.
    """
    limit = call.query.get("limit", most)
    if limit < 1:
        raise InvalidValue("'limit' must be at least 1.")
    asked = call.query.get("sort_key") or None
    if asked is not None:
        row = table.by_name.get(asked)
        if asked != "id" and (row is None or not row.can_sort):
            raise InvalidValue(f"A {table.noun} list can not be sorted by '{asked[:80]}'.")
        if row is not None and not row.is_in(call.version.minor):
            raise value.too_new(asked, row.since)
    return Page(
        limit=min(limit, most),
        marker=call.query.get("marker"),
        sort_key=stored.get(asked, asked) if asked else sort_key,
        sort_dir=_direction(call.query.get("sort_dir", "asc")),
    )


def _direction(word: str) -> Literal["asc", "desc"]:
    if word not in ("asc", "desc"):
        raise InvalidValue("'sort_dir' must be asc or desc.")
    return "desc" if word == "desc" else "asc"


def following(call: Call, page: Page, identities: Sequence[str]) -> Mapping[str, str]:
    """The member ``next`` of a list, when its page is full: the same question, from the last item on."""
    if len(identities) < page.limit:
        return {}
    asked = {name: _text(held) for name, held in call.query.items() if name not in ("limit", "marker")}
    asked |= {"limit": str(page.limit), "marker": identities[-1]}
    path = call.path.strip("/").removeprefix("v1/")
    return {"next": f"{call.base}/v1/{path}?{urlencode(asked)}"}


def _text(held: Any) -> str:
    if isinstance(held, bool):
        return str(held)
    return ",".join(held) if isinstance(held, list) else str(held)
