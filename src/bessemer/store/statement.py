"""Fixed statements: written once in SQLAlchemy Core, compiled once for each database, run without it.

Working out what to send and what came back costs SQLAlchemy several times what a small query costs the
database. For a statement that never changes it is worked out once: a ``Plan`` is the SQL text, where its
parameters come from, and what values have to go through on their way in and out. See ADR 0004.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Dialect
from sqlalchemy.sql.base import Executable

_Processor = Callable[[Any], Any]


class Rows:
    """What a statement brought: rows as tuples, in the order of its columns."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Sequence[Any]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self._rows)

    def all(self) -> Sequence[Sequence[Any]]:
        return self._rows

    def first(self) -> Sequence[Any] | None:
        return self._rows[0] if self._rows else None

    def scalar(self) -> Any:
        """The first value of the first row; None when there is no row."""
        return self._rows[0][0] if self._rows else None

    def scalars(self) -> Iterator[Any]:
        """The first value of each row."""
        return (row[0] for row in self._rows)


class Plan:
    """A statement as one database takes it, for one set of parameter names."""

    __slots__ = ("_arguments", "_booleans", "has_rows", "is_long", "is_write", "sql")

    def __init__(
        self, construct: Executable, dialect: Dialect, names: Sequence[str], *, is_long: bool = False
    ) -> None:
        self.is_long = is_long
        self.is_write = bool(getattr(construct, "is_dml", False))
        returning = bool(getattr(construct, "_returning", ()))
        compiled: Any = construct.compile(  # type: ignore[attr-defined]
            dialect=dialect,
            column_keys=list(names) if self.is_write else None,
            # Keeps PostgreSQL from adding RETURNING for keys that nobody asked for.
            for_executemany=self.is_write and not returning,
        )
        required = {bind.key: None for bind in compiled.binds.values() if bind.required}
        whole = compiled.construct_expanded_state(required)
        self.sql: str = whole.statement
        self.has_rows = returning or not self.is_write
        self._arguments: list[tuple[str, Any, _Processor | None]] = [
            (name, whole.parameters[name], whole.processors.get(name)) for name in whole.positiontup or ()
        ]
        self._booleans = _booleans(compiled, dialect) if self.has_rows else []

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """What is sent with ``sql``, in order."""
        return [
            given.get(name, fixed) if process is None else process(given.get(name, fixed))
            for name, fixed, process in self._arguments
        ]

    def decoded(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Rows as the database gave them, with the values that columns promise."""
        booleans = self._booleans
        if not booleans:
            return rows
        found = [list(row) for row in rows]
        for values in found:
            for index in booleans:
                if values[index] is not None:
                    values[index] = values[index] != 0
        return found


def _booleans(compiled: Any, dialect: Dialect) -> list[int]:
    """Where SQLite, which knows none, has booleans. All else is as the columns promise on both databases."""
    if dialect.name != "sqlite":
        return []
    return [n for n, column in enumerate(compiled._result_columns) if isinstance(column.type, Boolean)]


class Statement:
    """A statement that is run often and never changes but in its parameters (``bindparam``).

    Which columns an INSERT or UPDATE writes is told by the names of the parameters given. Make these once, at
    import or behind a cache: each one keeps its plans.

    ``is_long``: it may take more than a millisecond (hundreds of rows to read, write or look through), so it
    must not be run on the loop.
    """

    __slots__ = ("_plans", "construct", "is_long")

    def __init__(self, construct: Executable, *, is_long: bool = False) -> None:
        self.construct = construct
        self.is_long = is_long
        self._plans: dict[tuple[str, tuple[str, ...]], Plan] = {}

    def plan(self, dialect: Dialect, names: tuple[str, ...]) -> Plan:
        key = (dialect.name, names)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(self.construct, dialect, names, is_long=self.is_long)
        return plan
