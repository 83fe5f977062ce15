"""How long to wait before trying again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with full jitter between half and the whole of each delay."""

    first_s: float = 1.0
    factor: float = 2.0
    most_s: float = 30.0

    def delay_s(self, failures: int) -> float:
        """The wait after ``failures`` failures in a row (1 or more)."""
        whole = min(self.most_s, self.first_s * self.factor ** (failures - 1))
        return whole * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret
