"""Calls an ASGI application in this process, as a client that speaks one version of the v1 API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from fakes.canary import WATCH

VERSION_HEADER = "x-openstack-ironic-api-version"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What is inside ``error_message``, which clients decode twice."""
        inner: dict[str, Any] = json.loads(self.json["error_message"])
        return inner

    @property
    def message(self) -> str:
        return str(self.error.get("faultstring") or self.error.get("description"))


class ApiClient:
    """``version`` is sent with every call; None sends none. ``base`` is the address the app believes in."""

    def __init__(self, app: Any, version: str | None = "1.115", *, base: str = "http://api.test") -> None:
        self._app = app
        self._base = base
        self.version = version

    def at(self, version: str | None) -> "ApiClient":
        return ApiClient(self._app, version, base=self._base)

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.call("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return await self.call("POST", path, body, headers=headers)

    async def patch(self, path: str, body: Any = None) -> Reply:
        return await self.call("PATCH", path, body)

    async def put(self, path: str, body: Any = None) -> Reply:
        return await self.call("PUT", path, body)

    async def delete(self, path: str) -> Reply:
        return await self.call("DELETE", path)

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """``body`` is sent as JSON, bytes as they are. ``path`` may be a whole address."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"host": urlsplit(self._base).netloc, **(headers or {})}
        if self.version is not None:
            given.setdefault(VERSION_HEADER, self.version)
        return await exchange(self._app, method, path, content, given)


async def exchange(
    app: Any,
    method: str,
    path: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    query: bytes | None = None,
    chunk: int = 65536,
) -> Reply:
    """One request through the ASGI protocol. ``query`` replaces that of ``path``, byte for byte."""
    WATCH.learn(content)
    parts = urlsplit(path if "://" in path else f"http://host{path}")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode() if query is None else query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("192.0.2.9", 50000),
        "server": ("127.0.0.1", 6385),
    }
    pending = [content[start : start + chunk] for start in range(0, len(content), chunk)] or [b""]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pending:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pending.pop(0), "more_body": bool(pending)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent, "the application gave no answer"
    start, *rest = sent
    reply = Reply(
        status=start["status"],
        headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in rest),
    )
    WATCH.look(f"the answer to {method} {parts.path} ({reply.status})", reply.body, repr(reply.headers))
    return reply
