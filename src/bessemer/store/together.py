"""Columns read together: the database gives them as JSON text.

Each value that leaves a database costs an object of Python's, and a list of a thousand nodes has fifty
thousand, most of which go to the wire as they are. The databases write them as JSON in a third of that time.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, Table, Text, case, func, literal_column, not_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from bessemer.store.table.column import is_document

_BEFORE = "+"
#: A function takes at most 100 arguments on PostgreSQL, and a column is two.
_MOST = 50


def together(names: Sequence[str]) -> str:
    """What to ask ``column`` for, to get the columns called ``names`` as one text: the members of a JSON
    object, without its braces."""
    return "".join(_BEFORE + name for name in names)


def names_in(field: str) -> list[str]:
    """The names of the columns that ``field`` asks for: one, or those read together."""
    return field[1:].split(_BEFORE) if field.startswith(_BEFORE) else [field]


def column(table: Table, field: str) -> ColumnElement[Any]:
    """The column of ``table`` called ``field``, or those read together."""
    if not field.startswith(_BEFORE):
        return table.c[field]
    template, values, others = [], [], []
    for one in (table.c[name] for name in names_in(field)):
        if is_document(one) or isinstance(one.type, Boolean):
            template.append(f'"{one.name}":%s')
            values.append(_json(one))
        else:
            others.append(one)
    for first in range(0, len(others), _MOST):
        template.append("%s")
        values.append(_members(others[first : first + _MOST]))
    return _Format(_literal(",".join(template)), *values)


def _json(one: Column[Any]) -> ColumnElement[str]:
    """A document is JSON already, and a boolean is a number to SQLite."""
    if is_document(one):
        return func.coalesce(one, _literal("null"))
    return case((one, _literal("true")), (not_(one), _literal("false")), else_=_literal("null"))


def _members(columns: Sequence[Column[Any]]) -> ColumnElement[str]:
    named = (part for one in columns for part in (_literal(one.name), one))
    return func.trim(_Object(*named), _literal("{}"))


def _literal(text: str) -> ColumnElement[str]:
    """``text``, which holds no quote, written out: a parameter would cost time in every row."""
    return literal_column(f"'{text}'", Text())


class _Format(GenericFunction[str]):
    """The first argument, with one of the others at each ``%s``."""

    inherit_cache = True


class _Object(GenericFunction[str]):
    """The text of a JSON object, given as name, value, name, value... No value is an object or a list."""

    inherit_cache = True


@compiles(_Format)
def _format(found: _Format, compiler: SQLCompiler, **options: Any) -> str:
    return f"format({compiler.process(found.clauses, **options)})"


@compiles(_Format, "sqlite")
def _printf(found: _Format, compiler: SQLCompiler, **options: Any) -> str:
    """Before version 3.38 it was called only that."""
    return f"printf({compiler.process(found.clauses, **options)})"


@compiles(_Object, "sqlite")
def _json_object(found: _Object, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_object({compiler.process(found.clauses, **options)})"


@compiles(_Object, "postgresql")
def _json_build_object(found: _Object, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_build_object({compiler.process(found.clauses, **options)}) AS TEXT)"
