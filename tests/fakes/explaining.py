"""A transaction that asks the database how it would carry out each statement, and counts what that takes.

Cost is no time, so that a busy machine changes nothing: on PostgreSQL it is the rows looked at, on SQLite the
steps of its virtual machine, of which a row takes some ten.
"""

import re
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from bessemer.store.database import Transaction
from bessemer.store.table import METADATA


@dataclass
class Plan:
    """How one statement is carried out, a line for each part of it."""

    statement: str
    lines: list[str] = field(default_factory=list)
    #: What it took, where that was counted.
    cost: int = 0

    def whole_tables(self) -> set[str]:
        """Tables that are read from end to end."""
        found = set()
        for line in self.lines:
            words = line.replace("->", "").split()
            if words[:2] == ["Seq", "Scan"]:
                found.add(words[3])
            if words[0] == "SCAN" and "INDEX" not in words:
                found.add(words[1])
        return found & set(METADATA.tables)

    def indexes(self) -> set[str]:
        """The indexes it goes by, under the names that the tables give them; "id" is the primary key."""
        found = set()
        for line in self.lines:
            if match := _SQLITE_INDEX.search(line):
                table, index, column = match.groups()
                found.add(f"uq_{table}_{column}" if index.startswith("sqlite_autoindex") else index)
            elif match := _POSTGRESQL_INDEX.search(line):
                found.add("id" if match[1].startswith("pk_") else match[1])
            elif "INTEGER PRIMARY KEY" in line or re.fullmatch(r"SCAN \w+", line):
                found.add("id")
        return found

    def is_sorting(self) -> bool:
        """Whether it has to put rows in order, beyond those that an index has in order but for ties."""
        return any("TEMP B-TREE FOR ORDER BY" in line or "->  Sort" in line for line in self.lines)


_SQLITE_INDEX = re.compile(r"(?:SEARCH|SCAN) (\w+) USING (?:COVERING )?INDEX (\w+)(?: \((\w+))?")
_POSTGRESQL_INDEX = re.compile(r"(?:Index(?: Only)? Scan(?: Backward)? using|Bitmap Index Scan on) (\w+)")


class ExplainingTransaction:
    """Passes everything on to ``tx``, and keeps the plans."""

    def __init__(self, tx: Transaction, counted_at: str | None = None) -> None:
        """``counted_at`` is the URL of the database: costs are counted too."""
        self._tx = tx
        self._sqlite = None if counted_at is None else counted_at.removeprefix("sqlite:///").partition("?")[0]
        #: For what is only to set the scene.
        self.unexplained = tx
        self.plans: list[Plan] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def execute(self, statement: Any, parameters: Any = None, **more: Any) -> Any:
        one = parameters[0] if isinstance(parameters, list) else parameters
        await self._explain(getattr(statement, "construct", statement), one or {})
        return await self._tx.execute(statement, parameters, **more)

    async def _explain(self, construct: Any, values: dict[str, Any]) -> None:
        family = postgresql if self._tx.is_postgresql else sqlite
        compiled = construct.compile(
            dialect=family.dialect(paramstyle="named"),
            column_keys=list(values) if getattr(construct, "is_dml", False) and values else None,
        )
        whole = compiled.construct_expanded_state(values)
        plan = Plan(whole.statement)
        self.plans.append(plan)
        if self._tx.is_postgresql:
            await self._explain_on_postgresql(plan, whole.parameters)
        else:
            rows = await self._tx.execute(text(f"EXPLAIN QUERY PLAN {plan.statement}"), whole.parameters)
            plan.lines = [str(row[3]) for row in rows]
            if self._sqlite is not None:
                plan.cost = _steps(self._sqlite, plan.statement, whole.parameters)

    async def _explain_on_postgresql(self, plan: Plan, parameters: dict[str, Any]) -> None:
        word = "EXPLAIN" if self._sqlite is None else "EXPLAIN (ANALYZE, TIMING OFF)"
        # A parameter that has a cast right behind it would not be seen as one.
        asked = text(re.sub(r"(?<!:):(\w+)::", r":\1 ::", f"{word} {plan.statement}"))
        plan.lines = [str(row[0]).strip() for row in await self._tx.execute(asked, parameters)]
        for line in plan.lines:
            scanned = re.search(r"Scan.*actual rows=(\d+) loops=(\d+)", line)
            removed = re.match(r"Rows Removed by .*: (\d+)", line)
            if scanned and "Bitmap Index" not in line:
                plan.cost += int(scanned[1]) * int(scanned[2])
            elif removed:
                plan.cost += int(removed[1])


def _steps(path: str, statement: str, parameters: dict[str, Any]) -> int:
    """How many steps the statement takes. Only what was committed is seen."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        connection.execute("SELECT * FROM alembic_version").fetchall()  # reads the schema
        connection.set_progress_handler(count, 1)
        connection.execute(statement, parameters).fetchall()
    finally:
        connection.close()
    return steps
