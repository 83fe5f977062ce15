"""What goes wrong with calls to simulated BMCs: by chance, but the same each time for the same seed."""

import zlib
from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    FINE = "fine"
    #: 503 and 500, nothing done.
    BUSY = "busy"
    FAILED = "failed"
    #: The connection is cut instead of an answer: before anything was done, or after all was.
    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    #: No answer ever comes, as above.
    HANG_BEFORE = "hang before"
    HANG_AFTER = "hang after"


_ERRORS = (Fate.BUSY, Fate.FAILED, Fate.CUT_BEFORE, Fate.CUT_AFTER)
_HANGS = (Fate.HANG_BEFORE, Fate.HANG_AFTER)


@dataclass(frozen=True, slots=True)
class Chance:
    """The shares (0 to 1) of calls that go wrong. The fate of a BMC's n-th call depends on nothing but the
    seed, the BMC and n, whatever other BMCs are asked meanwhile."""

    error_share: float = 0.0
    hang_share: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        shares = (self.error_share, self.hang_share)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("error_share and hang_share must be shares of the calls")

    def fate(self, number: int, count: int) -> Fate:
        """Of call ``count`` to BMC ``number``."""
        if not (self.error_share or self.hang_share):
            return Fate.FINE
        draw = zlib.crc32(f"{self.seed}:{number}:{count}".encode())
        share = draw / 2**32
        if share < self.error_share:
            return _ERRORS[draw % len(_ERRORS)]
        if share < self.error_share + self.hang_share:
            return _HANGS[draw % len(_HANGS)]
        return Fate.FINE
