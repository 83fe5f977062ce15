"""Releases of this program, by which it can be held back during a rolling upgrade.

Their numbers are below those of Ironic, which begin at 4: the two can be told apart.
"""

import re
from typing import Final

#: Major and minor number.
Release = tuple[int, int]

FIRST: Final[Release] = (0, 1)
#: Every release there has been, and this one.
RELEASES: Final[frozenset[Release]] = frozenset({FIRST})

_NUMBER = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.\d{1,3})?")


def read_release(text: str | None) -> Release | None:
    """The release of ours that ``text`` names ("0.1", "0.1.3"); None when it names none."""
    number = _NUMBER.fullmatch(text.strip()) if text else None
    release = (int(number[1]), int(number[2])) if number else None
    return release if release in RELEASES else None
