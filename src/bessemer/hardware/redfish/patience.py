"""How long one BMC's answer to a read is waited for: learned from how long its answers take.

As TCP learns when to send again: mean and deviation, smoothed; the limit is doubled at each silence until an
answer comes. Source: RFC 6298.
"""

#: No BMC is given less, however quick it usually is: they have their moments.
LEAST_S = 5.0
#: Before anything is known of a BMC.
FIRST_S = 15.0
_MEAN_SHARE, _DEVIATION_SHARE = 1 / 8, 1 / 4
_DEVIATIONS = 4


class Patience:
    """``most_s`` is what nothing exceeds: the deadline of a whole call."""

    __slots__ = ("_deviation_s", "_least_s", "_mean_s", "_most_s", "_stretch")

    def __init__(self, most_s: float, *, least_s: float = LEAST_S) -> None:
        self._most_s = most_s
        self._least_s = least_s
        self._mean_s: float | None = None
        self._deviation_s = 0.0
        self._stretch = 1.0

    @property
    def limit_s(self) -> float:
        """Longest wait for the next answer."""
        if self._mean_s is None:
            usual_s = FIRST_S
        else:
            usual_s = max(self._least_s, self._mean_s + _DEVIATIONS * self._deviation_s)
        return min(self._most_s, usual_s * self._stretch)

    @property
    def usual_s(self) -> float | None:
        """How long answers take on average; None before the first."""
        return self._mean_s

    def learn(self, took_s: float) -> None:
        """An answer came."""
        self._stretch = 1.0
        if self._mean_s is None:
            self._mean_s, self._deviation_s = took_s, took_s / 2
            return
        self._deviation_s += _DEVIATION_SHARE * (abs(took_s - self._mean_s) - self._deviation_s)
        self._mean_s += _MEAN_SHARE * (took_s - self._mean_s)

    def miss(self) -> None:
        """No answer came within the limit."""
        if self.limit_s < self._most_s:
            self._stretch *= 2
