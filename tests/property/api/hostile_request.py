"""Requests to every route: two thirds of the right shape with wrong values, one third wild."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table.field import Body, Create, Table
from property.api.hostile_value import (
    JSON,
    MAC,
    MEMBERS,
    NAMES,
    TEXTS,
    UUID,
    VERSIONS,
    WORDS,
    as_text,
    value_of,
)

#: Longest part of a request that is printed.
_SHOWN = 1000
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
#: What the variable parts of paths may rightly be; everything else has the one UUID.
_IDENTS = {
    "node": (UUID, *NAMES),
    "ident": (UUID, *NAMES),
    "driver": ("fake-hardware", "redfish"),
    "conductor": ("live",),
    "setting": ("HyperThreading",),
    "trait": ("CUSTOM_A",),
    "method": ("first_method", "third_method_sync"),
}
_LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "x-openstack-ironic-api-version": VERSIONS | _LATIN,
        "openstack-api-version": VERSIONS.map("baremetal {}".format) | _LATIN,
        "host": st.sampled_from(["api.test", "a b", "[::1", "evil.test/@x", "x" * 300]) | _LATIN,
        "content-type": st.sampled_from(["text/xml", "application/json; charset=utf-16"]) | _LATIN,
        "accept": _LATIN,
        "x-openstack-request-id": st.just(f"req-{UUID}") | _LATIN,
        "x-auth-token": _LATIN,
        "x-openstack-boot-mac": st.just(MAC),
        "range": _LATIN,
    },
)


@dataclass(frozen=True, repr=False)
class Address:
    """One method at one path, with the row of v1's table if it is one of v1's."""

    method: str
    path: str
    route: Route | None = None

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, repr=False)
class Request:
    """As it goes over the wire."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        body = self.body if len(self.body) < _SHOWN else self.body[:_SHOWN] + b"..."
        return f"{self.method} {self.path[:_SHOWN]} ?{self.query[:_SHOWN]!r} {body!r} {self.headers}"


@st.composite
def requests(draw: st.DrawFn, addresses: Sequence[Address]) -> Request:
    """Of three requests two are structured; of those half change something."""
    if draw(st.integers(0, 2)) == 0:
        return draw(_wild(addresses))
    changing = [one for one in addresses if one.route and one.route.body and one.method != "GET"]
    address = draw(st.sampled_from(changing if draw(st.booleans()) else addresses))
    return Request(
        address.method,
        _path(draw, address.path, 9),
        _query(draw, address.route),
        _body(draw, address.route),
        {"x-openstack-ironic-api-version": draw(VERSIONS)},
    )


@st.composite
def _wild(draw: st.DrawFn, addresses: Sequence[Address]) -> Request:
    address = draw(st.sampled_from(addresses))
    path = _path(draw, address.path, 1)
    if draw(st.booleans()):
        known = sorted({part for one in addresses for part in one.path.split("/") if part[:1] != "{"})
        parts = draw(st.lists(st.sampled_from(known) | TEXTS, max_size=6))
        path = "/" + "/".join(quote(part, safe="") for part in parts)
    query = draw(
        st.one_of(
            st.just(b""),
            st.lists(st.tuples(MEMBERS | TEXTS, TEXTS), max_size=4).map(_encode_query),
            st.binary(max_size=30),
        )
    )
    return Request(draw(st.sampled_from(_METHODS)), path, query, draw(_wild_bodies()), draw(_HEADERS))


@st.composite
def _wild_bodies(draw: st.DrawFn) -> bytes:
    members = st.dictionaries(MEMBERS, JSON | st.sampled_from(WORDS["target"]), max_size=5)
    return draw(
        st.one_of(
            st.just(b""),
            st.binary(max_size=40),
            members.map(_encode),
            JSON.map(_encode),
            st.integers(20, 20_000).map(lambda levels: b"[" * levels),
            st.integers(20, 5_000).map(lambda levels: b'{"a":' * levels),
            st.integers(1, 3).map(lambda size: b'"' + b"x" * (size * 2**20) + b'"'),
        )
    )


def _path(draw: st.DrawFn, template: str, trust: int) -> str:
    """Of ``trust`` + 1 variable parts, ``trust`` name what exists."""
    parts = []
    for part in template.split("/"):
        if part.startswith("{"):
            exists = draw(st.integers(0, trust)) > 0
            words = st.sampled_from(_IDENTS.get(part[1:-1], (UUID,)))
            parts.append(quote(draw(words if exists else TEXTS), safe=""))
        else:
            parts.append(part)
    return "/".join(parts)


def _query(draw: st.DrawFn, route: Route | None) -> bytes:
    if route is None or not route.query or draw(st.booleans()):
        return b""
    params = draw(st.lists(st.sampled_from(route.query), max_size=3, unique_by=lambda param: param.name))
    return _encode_query([(param.name, draw(value_of(param))) for param in params])


def _encode_query(pairs: Sequence[tuple[str, object]]) -> bytes:
    texts = [(name, as_text(value)) for name, value in pairs]
    return "&".join(f"{quote(name)}={quote(text)}" for name, text in texts).encode()


def _body(draw: st.DrawFn, route: Route | None) -> bytes:
    if route is None or route.body is None:
        return b""
    if isinstance(route.body, PatchOf):
        return _encode([_operation(draw, route.body.table) for _ in range(draw(st.integers(1, 2)))])
    if isinstance(route.body, Body):
        return _encode(_members(draw, route.body))
    return _encode(draw(JSON))


def _members(draw: st.DrawFn, body: Body) -> dict[str, Any]:
    """All members that are required, and up to two of the others."""
    others = [row for row in body.fields if row.create is not Create.REQUIRED]
    some = draw(st.lists(st.sampled_from(others), max_size=2)) if others else []
    required = [row for row in body.fields if row.create is Create.REQUIRED]
    return {row.name: draw(value_of(row)) for row in (*required, *some)}


def _operation(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    row = draw(st.sampled_from(list(table.roots.values())))
    below = draw(st.just("") | st.just("") | MEMBERS.map("/{}".format) | TEXTS.map("/{}".format))
    operation = {"op": draw(st.sampled_from(["add", "replace", "remove"])), "path": f"/{row.name}{below}"}
    if operation["op"] != "remove" or draw(st.integers(0, 5)) == 0:
        operation["value"] = draw(value_of(row) if not below else JSON)
    return operation


def _encode(document: object) -> bytes:
    return json.dumps(document).encode()
