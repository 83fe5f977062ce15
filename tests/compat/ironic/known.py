"""The differences that are meant to be: ``known.toml``, each with its reason."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compat.ironic.play import Difference


@dataclass(frozen=True)
class Known:
    """Differences whose text has all of ``parts``. ``is_certain``: every whole run meets one."""

    parts: tuple[str, ...]
    reason: str
    is_certain: bool = True

    def covers(self, difference: Difference) -> bool:
        text = str(difference)
        return all(part in text for part in self.parts)


def read() -> tuple[Known, ...]:
    tables = tomllib.loads(Path(__file__).with_name("known.toml").read_text())["difference"]
    return tuple(
        Known(tuple(table["has"]), table["reason"], not table.get("sometimes", False)) for table in tables
    )


def unknown(found: Iterable[Difference], known: Iterable[Known]) -> Iterator[Difference]:
    rows = tuple(known)
    return (one for one in found if not any(row.covers(one) for row in rows))
