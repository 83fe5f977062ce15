"""The contract's table of provision states (``contract.toml``), read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class State:
    """``kind``: stable, failed, transient, waiting or hold. ``events`` lead to the state that follows."""

    kind: str
    verbs: frozenset[str]
    events: Mapping[str, str]
    target: str | None = None

    @property
    def is_settled(self) -> bool:
        return self.kind in ("stable", "failed")


_TABLE = tomllib.loads(Path(__file__).with_name("contract.toml").read_text())

STATES: Mapping[str, State] = {
    name: State(row["kind"], frozenset(row["verbs"]), row["events"], row.get("target"))
    for name, row in _TABLE["states"].items()
}
VERBS = frozenset().union(*(state.verbs for state in STATES.values()))
#: Which states allow what (see the table).
GUARDS: Mapping[str, frozenset[str]] = {name: frozenset(states) for name, states in _TABLE["guards"].items()}
