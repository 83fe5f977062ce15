"""What went wrong with the database: which constraint was broken, and which failures pass by themselves."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from bessemer.kernel.error import BessemerError, DatabaseLost, Duplicate, InvalidValue, NotFound

#: PostgreSQL's classes of errors that say nothing about the statement: connection, rollback (deadlock, lost
#: race), resources, intervention by an operator, system; and a lock that was not had in time.
_PASSING = ("08", "40", "53", "57", "58", "55P03", "25P03")

#: And SQLite's: busy, locked, out of memory, disk trouble, disk full, cannot open, lock protocol.
_PASSING_SQLITE = (5, 6, 7, 10, 13, 14, 15)


def reason(error: BaseException) -> str:
    """The first line of what the database itself said, without a full stop."""
    origin = getattr(error, "orig", None) or error
    return str(origin).strip().partition("\n")[0].rstrip(".") or type(origin).__name__


def translated(error: DBAPIError) -> Exception:
    """``DatabaseLost`` when trying again can help, else ``error`` itself: a defect."""
    return DatabaseLost(f"The database failed: {reason(error)}.") if _is_passing(error) else error


def _is_passing(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, OSError):  # a lost connection, or a statement that took too long
        return True
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(state, str) and state.startswith(_PASSING)


def broken_constraint(error: IntegrityError) -> str:
    """Name of the constraint that ``error`` is about.

    PostgreSQL gives it, SQLite only the columns of a unique one; ours are named after table and columns.
    """
    origin = error.orig
    for told in (origin, getattr(origin, "__cause__", None)):
        name = getattr(told, "constraint_name", None)
        if isinstance(name, str):
            return name
    kind, _, about = str(origin).partition(" constraint failed")
    about = about.removeprefix(": ")
    if kind == "UNIQUE":
        table = about.partition(".")[0]
        columns = [column.strip().partition(".")[2] for column in about.split(",")]
        return f"uq_{table}_{'_'.join(columns)}"
    return f"fk_{about}" if kind == "FOREIGN KEY" else about or kind


def conflict(error: IntegrityError, table: Table, noun: str, values: Mapping[str, Any]) -> BessemerError:
    """What to raise when writing a ``noun`` broke a constraint: which value is taken, or what is missing."""
    name = broken_constraint(error)
    taken = [f"{field} '{values[field]}'" for field in _unique_columns(table, name) if field in values]
    if taken:
        return Duplicate(f"A {noun} with {' and '.join(taken)} already exists.")
    if name.startswith("fk_"):
        return NotFound(f"The {noun} refers to something that does not exist.")
    return InvalidValue(f"The {noun} cannot be stored: {name}.")


def _unique_columns(table: Table, name: str) -> list[str]:
    """The columns of the unique constraint called ``name``; none when it is something else."""
    constraints = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    for unique in (*constraints, *(index.columns for index in table.indexes if index.unique)):
        columns = [column.name for column in unique]
        if name == f"uq_{table.name}_{'_'.join(columns)}":
            return columns
    return []
