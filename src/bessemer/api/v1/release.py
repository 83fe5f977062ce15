"""Which versions a release of Ironic, or of ours, served: during an upgrade the API may be held at what an
older one had.

Source: v1 contract, microversions: releases.
"""

import re

from bessemer.api.v1.version import MAX
from bessemer.config.load import BadSettings
from bessemer.domain.release import FIRST, Release, read_release

#: The newest version of each release that brought some.
_NEWEST = {
    (4, 0): 11, (4, 2): 14, (5, 0): 16, (6, 0): 17, (6, 1): 22, (7, 0): 31, (9, 0): 34, (9, 2): 35,
    (10, 0): 36, (10, 1): 38, (11, 0): 43, (11, 1): 46, (12, 0): 49, (12, 1): 56, (12, 2): 58, (14, 0): 61,
    (15, 0): 65, (15, 1): 67, (16, 0): 68, (16, 2): 69, (17, 0): 72, (18, 0): 74, (18, 1): 75, (18, 2): 78,
    (21, 0): 79, (21, 1): 80, (21, 3): 81, (21, 4): 82, (22, 0): 83, (22, 1): 86, (23, 0): 87, (23, 1): 88,
    (24, 0): 89, (24, 1): 90, (25, 0): 91, (26, 1): 93, (27, 0): 94, (28, 0): 95, (29, 0): 96, (30, 0): 99,
    (32, 0): 101, (33, 0): 104, (34, 0): 109, (35, 0): 111, (36, 0): 112, (38, 0): 113,
}  # fmt: skip
#: The newest version of each series, by its name or date.
_SERIES = {
    "liberty": 14, "mitaka": 16, "newton": 22, "ocata": 31, "pike": 34, "queens": 38, "rocky": 46,
    "stein": 56, "train": 58, "ussuri": 65, "victoria": 68, "wallaby": 72, "xena": 78, "yoga": 78, "zed": 80,
    "2023.1": 82, "2023.2": 88, "2024.1": 90, "2024.2": 93, "2025.1": 96, "2025.2": 101, "2026.1": 111,
}  # fmt: skip
#: The newest version of each release of ours.
_OURS: dict[Release, int] = {FIRST: MAX}
_NUMBER = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.\d{1,3})?")


def newest_version(release: str | None) -> int:
    """The newest version served when held at ``release`` ("32.0", "2025.2", "zed", our own "0.1"); None: not
    held.

    Raises:
        BadSettings: There is no such release, or it is too old to be told of.
    """
    if release is None:
        return MAX
    ours = read_release(release)
    if ours is not None:
        return _OURS[ours]
    series = _SERIES.get(release.strip().lower())
    if series is not None:
        return series
    number = _NUMBER.fullmatch(release.strip())
    served = [
        minor for known, minor in _NEWEST.items() if number and known <= (int(number[1]), int(number[2]))
    ]
    if not served:
        raise BadSettings(
            f"[DEFAULT]pin_release_version cannot be '{release}'.",
            hint="Write the number of a release, ours (0.1) or Ironic's (32.0), or a series (2025.2).",
        )
    return max(served)
