"""Microversions: which one a request speaks, and what every answer says about them.

A version is the minor number alone (``34`` is 1.34): there is no other major. A request names it in
``X-OpenStack-Ironic-API-Version`` or, with precedence, in ``OpenStack-API-Version: baremetal X.Y``; without
either it speaks 1.1. Source: v1 contract, api_wide.version.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from bessemer.api.v1.error import Refusal

MIN = 1
MAX = 115

_OWN_HEADER = b"x-openstack-ironic-api-version"
_COMMON_HEADER = b"openstack-api-version"
_FORM = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


class Behaviour(IntEnum):
    """What the service does differently from a version on, where no field or route tells it."""

    NODES_START_IN_ENROLL = 11
    INSPECTION_REFUSES_UPDATES = 39
    AGENT_TOKENS = 62
    VIF_HAS_ONE_PLACE = 67
    INSPECTION_TELLS_LIKE_LOOKUP = 84
    JSON_SUFFIX_IS_PART_OF_THE_NAME = 91
    PATCH_PATHS_HAVE_ESCAPES = 98
    RUNBOOK_NAMES_ARE_FREE = 112


@dataclass(frozen=True, slots=True)
class Version:
    """The version of one request. ``is_stated`` is false when the client named none."""

    minor: int
    is_stated: bool = True

    def has(self, behaviour: Behaviour) -> bool:
        return self.minor >= behaviour

    @property
    def text(self) -> str:
        return f"1.{self.minor}"


UNSTATED = Version(MIN, is_stated=False)
_VERSIONS = tuple(Version(minor) for minor in range(MAX + 1))


@lru_cache
def range_headers(newest: int = MAX) -> tuple[tuple[bytes, bytes], ...]:
    """Sent with every answer, unless the version in the request could not even be read."""
    return (
        (b"x-openstack-ironic-api-minimum-version", b"1.%d" % MIN),
        (b"x-openstack-ironic-api-maximum-version", b"1.%d" % newest),
    )


@lru_cache(maxsize=256)
def answer_headers(minor: int, newest: int = MAX) -> tuple[tuple[bytes, bytes], ...]:
    """What the answer to a request in version ``minor`` says of versions."""
    return (*range_headers(newest), (_OWN_HEADER, b"1.%d" % minor))


def negotiate(headers: Iterable[tuple[bytes, bytes]], newest: int = MAX) -> Version:
    """The version a request speaks, from its ASGI headers; ``newest`` is the newest one served.

    Raises:
        Refusal: 406. Of a readable version that is not served with the range headers, of an unreadable one
            without, as clients of the v1 API know it.
    """
    own = common = None
    for name, value in headers:
        if name == _OWN_HEADER:
            own = value
        elif name == _COMMON_HEADER:
            common = _entry(value) or common
    found = common if common is not None else own
    if not found:
        return UNSTATED
    return parse(found.decode("latin-1").strip(), newest)


def _entry(value: bytes) -> bytes | None:
    """The ``baremetal`` entry of a comma separated ``OpenStack-API-Version``; other services are ignored."""
    for entry in value.split(b","):
        service, _, version = entry.strip().partition(b" ")
        if service.lower() == b"baremetal":
            return version
    return None


def parse(text: str, newest: int = MAX) -> Version:
    """``1.34`` or ``latest`` as a version. Raises Refusal (406)."""
    if text.lower() == "latest":
        return _VERSIONS[newest]
    form = _FORM.fullmatch(text)
    if form is None:
        raise Refusal(406, "The API version in the request is not of the form MAJOR.MINOR.", is_routing=True)
    major, minor = int(form[1]), int(form[2])
    if major != 1 or not MIN <= minor <= newest:
        raise Refusal(
            406,
            f"Version {text} is not served. The versions served are 1.{MIN} to 1.{newest}.",
            is_routing=True,
            headers=range_headers(newest),
        )
    return _VERSIONS[minor]
