"""What is known of the records a step works with, so that it need not read what was just written."""

import time
from collections.abc import Mapping
from typing import Any

#: How long something counts as known, in seconds: about as long as from one step to the next.
LASTS_S = 0.25


class Known:
    """Records as they were at most ``LASTS_S`` seconds ago, what this operation wrote since included.

    What others write meanwhile comes with a signal, which wakes whoever overlooked it. An operation that is
    taken up again begins with nothing known.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Any]] = {}

    def find(self, key: str) -> Any:
        """The record, or None when it has to be read."""
        noted_at, record = self._found.get(key, (0.0, None))
        return record if time.monotonic() - noted_at <= LASTS_S else None

    def note(self, key: str, record: Any) -> None:
        self._found[key] = time.monotonic(), record

    def wrote(self, records: Mapping[str, Any]) -> None:
        """The operation has just written, and these are what it had locked: all else may have changed."""
        self._found.clear()
        for key, record in records.items():
            self.note(key, record)
