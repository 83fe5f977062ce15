"""What the BMC was asked, for tests that count calls."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request that has been answered, or was dropped (status 0)."""

    method: str
    path: str
    status: int
    #: When it was answered, on the monotonic clock; and how long that took.
    at_s: float
    duration_s: float


class RequestJournal:
    """The last requests of a BMC, oldest first."""

    def __init__(self, *, length: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: deque[RequestEntry] = deque(maxlen=length)
        self._clock = clock

    def record(self, method: str, path: str, status: int, began_s: float) -> None:
        now = self._clock()
        self._entries.append(RequestEntry(method, path, status, now, now - began_s))

    def list(self, method: str = "*", path: str = "*", *, status: int | None = None) -> "list[RequestEntry]":
        """The requests whose method and path match the shell patterns, and the status when one is given."""
        return [
            entry
            for entry in self._entries
            if fnmatchcase(entry.method, method)
            and fnmatchcase(entry.path, path)
            and status in (None, entry.status)
        ]

    def count(self, method: str = "*", path: str = "*", *, status: int | None = None) -> int:
        """How many requests match; see ``list``."""
        return len(self.list(method, path, status=status))

    def clear(self) -> None:
        self._entries.clear()
