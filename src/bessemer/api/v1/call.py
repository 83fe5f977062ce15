"""One request as its handler sees it, and the answer it gives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from bessemer.api.v1.error import Headers
from bessemer.api.v1.table.field import Table
from bessemer.api.v1.version import Version
from bessemer.api.v1.view import Links
from bessemer.service.caller import Caller

_JSON = (b"content-type", b"application/json")
_encoder = msgspec.json.Encoder()
#: Items of a list that are there at a time before they are JSON, and then are sent together.
_AT_ONCE = 32


@dataclass(slots=True)
class Call:
    """A request that has passed the tables: ``query`` and ``body`` are checked and typed.

    ``params`` are the variable parts of the path, ``base`` the address this API is reached at (no trailing
    slash), ``path`` that of the resource below it.
    """

    method: str
    path: str
    version: Version
    caller: Caller
    base: str
    params: Mapping[str, str]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def links(self, table: Table) -> Links:
        return _links(self.base, table.path, table.has_bookmark)


@lru_cache(maxsize=256)
def _links(base: str, path: str, has_bookmark: bool) -> Links:
    return Links(base, path, has_bookmark=has_bookmark)


@dataclass(frozen=True, slots=True)
class Answer:
    """``rest`` is the body's continuation: a long list is sent in the pieces that it was encoded in."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    rest: Sequence[bytes] = ()


def ok(document: Any, status: int = 200, *, location: str | None = None) -> Answer:
    """``document`` as JSON."""
    headers = (_JSON,) if location is None else (_JSON, _location(location))
    return Answer(status, _encoder.encode(document), headers)


def ok_list(wrapper: str, items: Iterable[Any], more: Mapping[str, Any]) -> Answer:
    """``items`` below the name ``wrapper``, then ``more``, as JSON. Items are made and encoded some at a
    time: those of a long list are never all there but as JSON."""
    waiting = iter(items)
    pieces, before = [], b'{"%b":[' % wrapper.encode()
    while some := list(islice(waiting, _AT_ONCE)):
        pieces.append(before + memoryview(_encoder.encode(some))[1:-1])
        before = b","
    end = b"]," + _encoder.encode(more)[1:] if more else b"]}"
    if not pieces:
        return Answer(200, before + end, (_JSON,))
    pieces[-1] += end
    return Answer(200, pieces[0], (_JSON,), pieces[1:])


def empty(status: int = 204, *, location: str | None = None) -> Answer:
    return Answer(status, b"", () if location is None else (_location(location),))


def failed(status: int, document: bytes, headers: Headers = ()) -> Answer:
    return Answer(status, document, (_JSON, *headers))


def _location(address: str) -> tuple[bytes, bytes]:
    return (b"location", address.encode("latin-1", "replace"))
