"""Pages of lists: keyset paging, which costs the same for the first page and the thousandth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Select, Table, Text, and_, literal, or_, select

from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.store.database import Transaction
from bessemer.store.table.column import TEXT


@dataclass(frozen=True, slots=True)
class Page:
    """``limit`` items behind the one called ``marker``, by ``sort_key``: null last, ties by age."""

    limit: int
    marker: str | None = None
    sort_key: str = "id"
    sort_dir: Literal["asc", "desc"] = "asc"


async def apply_page(
    tx: Transaction,
    statement: Select[Any],
    table: Table,
    page: Page,
    *,
    marker_column: str = "uuid",
    visible: Sequence[ColumnElement[bool]] = (),
) -> Select[Any]:
    """``statement`` (a select from ``table``) cut down to ``page``.

    ``visible`` are conditions that the marker must meet too: else a page would tell where a row lies that is
    not for its reader. Others it may have ceased to meet since its page was read.

    Raises:
        InvalidValue: ``sort_key`` is no column one can sort by.
        NotFound: No row is called ``marker``.
    """
    column = _sort_column(table, page.sort_key)
    is_down = page.sort_dir == "desc"
    if page.marker is not None:
        found = select(column, table.c.id).where(table.c[marker_column] == page.marker, *visible)
        row = (await tx.execute(found)).first()
        if row is None:
            raise NotFound(f"The marker '{page.marker}' does not exist.")
        statement = statement.where(_behind(table, column, (row[0], row[1]), is_down=is_down))
    return in_order(statement, table, page).limit(page.limit)


def in_order(statement: Select[Any], table: Table, page: Page) -> Select[Any]:
    """``statement`` sorted as ``page`` wants it. Raises InvalidValue: one cannot sort by that."""
    column = _sort_column(table, page.sort_key)
    order: list[ColumnElement[Any]] = []
    if column is not table.c.id:
        if column.nullable:
            order.append(column.is_(None))
        order.append(column)
    order.append(table.c.id)
    is_down = page.sort_dir == "desc"
    return statement.order_by(*(key.desc() if is_down else key.asc() for key in order))


def _sort_column(table: Table, key: str) -> Column[Any]:
    column = table.c.get(key)
    # JSON documents are the columns of plain Text: their order means nothing.
    if column is None or (isinstance(column.type, Text) and column.type is not TEXT):
        raise InvalidValue(f"Lists cannot be sorted by '{key}'.")
    return column


def _behind(table: Table, column: Column[Any], row: tuple[Any, int], *, is_down: bool) -> ColumnElement[bool]:
    """Rows that come after ``row``, which is a sort value and an id."""
    value, number = row
    later: ColumnElement[bool] = table.c.id < number if is_down else table.c.id > number
    if column is table.c.id:
        return later
    if value is None:
        same = and_(column.is_(None), later)
        return or_(same, column.is_not(None)) if is_down else same
    bound = literal(value, column.type)
    further: ColumnElement[bool] = column < bound if is_down else column > bound
    behind = or_(further, and_(column == bound, later))
    return or_(behind, column.is_(None)) if column.nullable and not is_down else behind
