"""A clock that only moves when it is told to."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    def __init__(self, moment: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def advance(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)
