"""A transaction that asks the database how it would carry out each statement."""

import re
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


class ExplainingTransaction:
    """Passes everything on to ``tx``, and keeps the plans."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
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
        compiled = construct.compile(dialect=family.dialect(paramstyle="named"))
        whole = compiled.construct_expanded_state(values)
        word = "EXPLAIN" if self._tx.is_postgresql else "EXPLAIN QUERY PLAN"
        # A parameter that has a cast right behind it would not be seen as one.
        asked = text(re.sub(r"(?<!:):(\w+)::", r":\1 ::", f"{word} {whole.statement}"))
        rows = (await self._tx.execute(asked, whole.parameters)).all()
        lines = [str(row[0] if self._tx.is_postgresql else row[3]).strip() for row in rows]
        self.plans.append(Plan(whole.statement, lines))
