"""How many refusals are recorded: strangers must not be able to fill the audit trail."""

from collections import OrderedDict
from dataclasses import dataclass

_MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Window:
    since: float
    count: int = 0
    passed_over: int = 0


class RefusalLimit:
    """``most`` refusals from one address in ``window_s`` seconds are recorded, and ten times as many from all
    addresses together."""

    def __init__(self, most: int = 20, window_s: float = 60.0) -> None:
        self._most = most
        self._window_s = window_s
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def admit(self, address: str, now: float) -> int | None:
        """None when this one is passed over; else how many were since the last one that was recorded.
        ``now`` is in seconds."""
        everybody = self._window("", now)
        own = self._window(address or "?", now)
        if own.count >= self._most or everybody.count >= 10 * self._most:
            everybody.passed_over += 1
            return None
        own.count += 1
        everybody.count += 1
        passed_over, everybody.passed_over = everybody.passed_over, 0
        return passed_over

    def _window(self, address: str, now: float) -> _Window:
        window = self._windows.get(address)
        if window is None:
            window = self._windows[address] = _Window(now)
            while len(self._windows) > _MOST_ADDRESSES:
                self._windows.popitem(last=False)
            if "" not in self._windows:
                self._windows[""] = _Window(now)
        elif now - window.since >= self._window_s:
            window.since, window.count = now, 0
        return window
