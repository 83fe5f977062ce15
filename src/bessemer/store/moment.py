"""Moments judged by one clock: the database's on PostgreSQL, where conductors' own clocks may differ."""

from sqlalchemy import ColumnElement, Float, Text, func, literal, text

from bessemer.kernel.clock import timestamp
from bessemer.store.database import Transaction

_FORM = """YYYY-MM-DD"T"HH24:MI:SS.US"+00:00\""""


def shared_now(tx: Transaction, *, after_s: float = 0.0) -> ColumnElement[str]:
    """An expression for the present moment, or ``after_s`` seconds later, as a timestamp.

    SQLite has one machine and so one clock: the process's.
    """
    if not tx.is_postgresql:
        return literal(timestamp(tx.clock, after_s=after_s), Text())
    return database_moment(literal(after_s, Float()))


def database_moment(after_s: ColumnElement[float]) -> ColumnElement[str]:
    """The present moment of PostgreSQL's clock, ``after_s`` seconds later, as a timestamp."""
    moment = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, after_s)
    return func.to_char(func.timezone("UTC", moment), text(f"'{_FORM}'"), type_=Text())
