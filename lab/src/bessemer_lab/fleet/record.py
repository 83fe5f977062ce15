"""What simulated servers were asked: their own record, to hold the service's journal against."""

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

#: Reads that are remembered in memory; other calls are remembered all.
READS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``asked`` is "bmc" or "agent"; ``at`` is seconds since the epoch when it came in.

    ``status`` is 0 when no answer was sent. ``is_done`` says whether what it asks for was done, whatever was
    answered. ``body`` has no passwords.
    """

    at: float
    number: int
    asked: str
    method: str
    path: str
    body: Any
    status: int
    is_done: bool
    duration_s: float


class Record:
    """Every call, oldest first; as JSON lines in ``file`` too, if one is given."""

    def __init__(self, file: Path | None = None) -> None:
        self._changes: list[Call] = []
        self._reads: deque[Call] = deque(maxlen=READS_KEPT)
        self._file: TextIO | None = file.open("a", encoding="utf-8") if file else None
        #: How many calls there were, by what was asked, method and status.
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def add(self, call: Call) -> None:
        self.counts[call.asked, call.method, call.status] += 1
        (self._reads if call.method == "GET" else self._changes).append(call)
        if self._file is not None:
            self._file.write(json.dumps(asdict(call)) + "\n")

    def changes(self, *, number: int | None = None, asked: str | None = None) -> Iterator[Call]:
        """All calls but reads; of one server, and to its BMC or its agent, if these are given."""
        return _matching(self._changes, number, asked)

    def reads(self, *, number: int | None = None, asked: str | None = None) -> Iterator[Call]:
        """The last ``READS_KEPT`` reads."""
        return _matching(self._reads, number, asked)

    def close(self) -> None:
        """Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _matching(calls: "list[Call] | deque[Call]", number: int | None, asked: str | None) -> Iterator[Call]:
    return (call for call in list(calls) if number in (None, call.number) and asked in (None, call.asked))
