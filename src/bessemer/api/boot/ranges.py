"""Byte ranges and validators of HTTP requests. Source: RFC 9110, sections 13 and 14."""

import re

_SPEC = re.compile(r"bytes\s*=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE)
#: More digits than any size has; longer numbers are not worth converting.
_MOST_DIGITS = 18


class NotSatisfiable(Exception):
    """The range lies wholly behind the end."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The asked part of ``size`` bytes as (offset, length); None when all is to be sent.

    Several ranges in one request, and what is not understood, count as no range, as the RFC allows.

    Raises:
        NotSatisfiable: Nothing of the range exists.
    """
    match = _SPEC.fullmatch(header.strip())
    if match is None or max(map(len, match.groups())) > _MOST_DIGITS:
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), int(last) + 1 if last else size
        if last and end <= start:
            return None
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    end = min(end, size)
    if start >= end:
        raise NotSatisfiable
    return start, end - start


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether the client says that it has ``etag`` already (weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return bool(etag) and ("*" in tags or etag in tags)
