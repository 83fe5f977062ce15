"""Shapes of columns that all tables share, and the one MetaData."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, MetaData, Text
from sqlalchemy import text as sql

#: Constraint names are predictable, so that migrations can name what they change.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Byte order on both databases: lists come in the same order, and timestamps compare as text.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

_BIG = BigInteger().with_variant(Integer(), "sqlite")


def key() -> Column[Any]:
    """The integer every list is ordered by when nothing else is asked for."""
    return Column("id", _BIG, primary_key=True)


def text(name: str, *more: Any, is_required: bool = False, default: str | None = None) -> Column[Any]:
    return Column(name, TEXT, *more, nullable=not is_required, server_default=default)


def json(name: str, *, default: str | None = "{}") -> Column[Any]:
    """A JSON document as text; without a default it may be null."""
    return Column(name, Text(), nullable=default is None, server_default=default)


def is_document(column: Column[Any]) -> bool:
    """Whether the column was made by ``json``."""
    return isinstance(column.type, Text) and column.type is not TEXT


def one_of(column: str, values: Iterable[StrEnum | str]) -> CheckConstraint:
    """The column holds one of ``values`` (or null, where the column may be null)."""
    listed = ", ".join("'" + str(value) + "'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def partial(name: str | None, *columns: str, sqlite: str, postgresql: str = "") -> Index:
    """An index over the rows that fulfil a condition. Each database finds it by the very words that it gets
    in queries; without ``postgresql`` they are the same for both."""
    return Index(name, *columns, sqlite_where=sql(sqlite), postgresql_where=sql(postgresql or sqlite))


def where_given(column: str, *more: str) -> Index:
    """An index over the rows in which ``column`` is not null."""
    return partial(None, column, *more, sqlite=f"{column} IS NOT NULL")
