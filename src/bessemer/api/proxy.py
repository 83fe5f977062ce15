"""Requests that come through a proxy: who the client is and how it addressed us, as the proxy tells.

Only where the operator says that there is one (``[oslo_middleware]enable_proxy_headers_parsing``): anybody
can send these headers. Of several proxies the nearest one's word counts for the client's address.
Source: RFC 7239 names what these headers tell; the X-Forwarded ones are what proxies send.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_FOR, _HOST, _PROTO, _PREFIX = (f"x-forwarded-{what}".encode() for what in ("for", "host", "proto", "prefix"))
_READ = frozenset({_FOR, _HOST, _PROTO, _PREFIX})
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]{1,64}){1,8}")


class Proxy:
    """Puts what the proxy tells into the scope; ``state["prefix"]`` there is the path it serves us under."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
            if given:
                scope = {**scope, **_told(scope, given)}
        await self._app(scope, receive, send)


def _told(scope: Scope, given: dict[bytes, str]) -> dict[str, Any]:
    """What changes in ``scope``. Whatever cannot be read is taken for not said."""
    told: dict[str, Any] = {}
    client = _address(given.get(_FOR, "").rpartition(",")[2].strip())
    if client:
        told["client"] = (client, 0)
    scheme = _first(given.get(_PROTO, "")).lower()
    if scheme in ("http", "https"):
        told["scheme"] = scheme
    host = _first(given.get(_HOST, ""))
    if host:
        others = [pair for pair in scope["headers"] if pair[0] != b"host"]
        told["headers"] = [*others, (b"host", host.encode("latin-1"))]
    prefix = given.get(_PREFIX, "").rstrip("/")
    if _PATH.fullmatch(prefix):
        told["state"] = {**scope.get("state", {}), "prefix": prefix}
    return told


def _first(text: str) -> str:
    return text.partition(",")[0].strip()


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return ""
