"""Pages of lists: keyset paging, which costs the same for the first page and the thousandth.

A sorted list is made of stretches, each of which is one range of an index: behind the marker those of the
same value, then those of further values, then those without a value. A page is read from one stretch after
the other until it is full; one in the middle of a list lies in a single stretch nearly always.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    Integer,
    Select,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    select,
)

from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.statement import Statement
from bessemer.store.table.column import is_document


@dataclass(frozen=True, slots=True)
class Page:
    """``limit`` items behind the one called ``marker``, by ``sort_key``: null last, ties by age.

    Sorted downwards, all of this is the other way round.
    """

    limit: int
    marker: str | None = None
    sort_key: str = "id"
    sort_dir: Literal["asc", "desc"] = "asc"


class Order(NamedTuple):
    """What decides the form of a page's statements."""

    key: str
    is_down: bool


class Stretch(Enum):
    """A part of a list that is sorted by a column: the rows of which..."""

    WHOLE = auto()
    #: ...the column is the id, behind the marker's.
    LATER = auto()
    #: ...the value is the marker's, and the id behind the marker's.
    TIED = auto()
    #: ...the value is behind the marker's.
    FURTHER = auto()
    VALUED = auto()
    NULL = auto()
    #: ...there is no value, and the id is behind the marker's.
    NULL_LATER = auto()


async def read_page(
    tx: Transaction,
    statement: Select[Any],
    table: Table,
    page: Page,
    *,
    marker_column: str = "uuid",
    visible: Sequence[ColumnElement[bool]] = (),
) -> list[AnyRow]:
    """The rows of ``statement`` (a select from ``table``) that are on ``page``.

    ``visible`` are conditions that the marker must meet too: else a page would tell where a row lies that is
    not for its reader. Others it may have ceased to meet since its page was read.

    Raises:
        InvalidValue: ``sort_key`` is no column one can sort by.
        NotFound: No row is called ``marker``.
    """

    def cut_out(order: Order, stretch: Stretch) -> Executable:
        return cut(statement, table, order, stretch)

    names = [column.name for column in statement.selected_columns]
    return await read_stretches(
        tx,
        table,
        page,
        cut_out,
        {},
        identity=names.index(marker_column) if marker_column in names else None,
        marker_column=marker_column,
        visible=visible,
    )


async def read_stretches(
    tx: Transaction,
    table: Table,
    page: Page,
    statement: Callable[[Order, Stretch], Statement | Executable],
    parameters: Mapping[str, Any],
    *,
    identity: int | None,
    marker_column: str = "uuid",
    visible: Sequence[ColumnElement[bool]] = (),
) -> list[Any]:
    """As ``read_page``, with statements made elsewhere: by ``cut``, and perhaps once for all pages.
    ``parameters`` are those they have besides the page's own.

    ``identity`` is the place in the rows of what tells them apart. A row whose value changes while the page
    is read may be found in two stretches; it is in the page once. None: nothing in the rows tells.
    """
    order = Order(page.sort_key, page.sort_dir == "desc")
    column = _sort_column(table, page.sort_key)
    place: AnyRow | None = None
    if page.marker is not None:
        found = select(column, table.c.id).where(table.c[marker_column] == page.marker, *visible)
        place = (await tx.execute(found)).first()
        if place is None:
            raise NotFound(f"The marker '{page.marker}' does not exist.")
    bounds = {} if place is None else {"page_value": place[0], "page_id": place[1]}
    rows: list[Any] = []
    for stretch in _stretches(table, column, bounds, is_down=order.is_down):
        used = {name: bounds[name] for name in _BOUNDS[stretch]}
        # As many as if there were none yet: those may come again, and the page is to be full all the same.
        given = {**parameters, **used, "page_limit": page.limit}
        read = (await tx.execute(statement(order, stretch), given)).all()
        if rows and identity is not None:
            known = {row[identity] for row in rows}
            read = [row for row in read if row[identity] not in known]
        rows += read
        if len(rows) >= page.limit:
            break
    return rows[: page.limit]


def cut(statement: Select[Any], table: Table, order: Order, stretch: Stretch) -> Select[Any]:
    """``statement`` in its order, with no more than what lies in ``stretch``. Its parameters are
    ``page_limit`` and, where the stretch is bounded, ``page_value`` and ``page_id``.

    Raises:
        InvalidValue: One cannot sort by that.
    """
    column, number = _sort_column(table, order.key), table.c.id
    condition = _condition(column, number, stretch, is_down=order.is_down)
    if condition is not None:
        statement = statement.where(condition)
    has_ties = not (column is number or _is_unique(table, column))
    keys = [column, number] if has_ties else [column]
    if stretch in _BY_AGE:
        keys = [number]
    statement = statement.order_by(*(key.desc() if order.is_down else key for key in keys))
    return statement.limit(bindparam("page_limit", type_=Integer()))


#: In these all have the same value.
_BY_AGE = frozenset({Stretch.LATER, Stretch.TIED, Stretch.NULL, Stretch.NULL_LATER})

_BOUNDS: Mapping[Stretch, Sequence[str]] = {
    Stretch.WHOLE: (),
    Stretch.LATER: ("page_id",),
    Stretch.TIED: ("page_value", "page_id"),
    Stretch.FURTHER: ("page_value",),
    Stretch.VALUED: (),
    Stretch.NULL: (),
    Stretch.NULL_LATER: ("page_id",),
}


def _stretches(
    table: Table, column: Column[Any], bounds: Mapping[str, Any], *, is_down: bool
) -> Sequence[Stretch]:
    """What comes behind the marker, or all where there is none, in order."""
    if not bounds:
        if not column.nullable:
            return (Stretch.WHOLE,)
        return (Stretch.NULL, Stretch.VALUED) if is_down else (Stretch.VALUED, Stretch.NULL)
    if column is table.c.id:
        return (Stretch.LATER,)
    if bounds["page_value"] is None:
        return (Stretch.NULL_LATER, Stretch.VALUED) if is_down else (Stretch.NULL_LATER,)
    tied = () if _is_unique(table, column) else (Stretch.TIED,)
    null = (Stretch.NULL,) if column.nullable and not is_down else ()
    return (*tied, Stretch.FURTHER, *null)


def _condition(
    column: Column[Any], number: Column[Any], stretch: Stretch, *, is_down: bool
) -> ColumnElement[bool] | None:
    value = bindparam("page_value", type_=column.type)
    last = bindparam("page_id", type_=number.type)
    later = number < last if is_down else number > last
    conditions: Mapping[Stretch, ColumnElement[bool] | None] = {
        Stretch.WHOLE: None,
        Stretch.LATER: later,
        Stretch.TIED: and_(column == value, later),
        Stretch.FURTHER: column < value if is_down else column > value,
        Stretch.VALUED: column.is_not(None),
        Stretch.NULL: column.is_(None),
        Stretch.NULL_LATER: and_(column.is_(None), later),
    }
    return conditions[stretch]


def _sort_column(table: Table, key: str) -> Column[Any]:
    column = table.c.get(key)
    if column is None or is_document(column):  # the order of documents means nothing
        raise InvalidValue(f"Lists cannot be sorted by '{key}'.")
    return column


@cache
def _is_unique(table: Table, column: Column[Any]) -> bool:
    """Whether no two rows have the same value; any number may have none."""
    unique = (one.columns for one in table.constraints if isinstance(one, UniqueConstraint))
    return any([part.name for part in columns] == [column.name] for columns in unique)
