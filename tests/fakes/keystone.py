"""A Keystone that knows the tokens it is told of, counts what it is asked, and can fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

LONG_AWAY = 4_000_000_000.0


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def described(
    user: str = "alice", *, roles: tuple[str, ...] = ("reader",), expires_at: float = LONG_AWAY, **more: Any
) -> dict[str, Any]:
    """What Keystone says of a token; ``more`` is its scope and the like."""
    return {
        "user": {"id": f"id-of-{user}", "name": user, "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": f"id-of-{role}", "name": role} for role in roles],
        "expires_at": moment(expires_at),
        "methods": ["password"],
        **more,
    }


def in_project(name: str) -> dict[str, Any]:
    return {"project": {"id": f"id-of-{name}", "name": name, "domain": {"id": "default", "name": "Default"}}}


@dataclass
class FakeKeystone:
    tokens: dict[str, Any] = field(default_factory=dict)
    #: Given only to those who say ``allow_expired``.
    expired: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    password: str = "opensesame"
    lifetime_s: float = 3600.0
    #: Answer everything with this status instead.
    status: int | None = None
    #: Answers wait until this is set.
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    logins: int = 0
    own_tokens: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    queries: list[dict[str, str]] = field(default_factory=list)
    now: float = 0.0

    async def log_in(self, request: web.Request) -> web.Response:
        self.logins += 1
        if self.status is not None:
            return web.Response(status=self.status)
        body = await request.json()
        if body["auth"]["identity"]["password"]["user"]["password"] != self.password:
            return web.json_response({"error": {"code": 401}}, status=401)
        text = f"own-{self.logins}"
        self.own_tokens.add(text)
        document = {"token": described("bessemer", expires_at=self.now + self.lifetime_s)}
        return web.json_response(document, status=201, headers={"X-Subject-Token": text})

    async def validate(self, request: web.Request) -> web.Response:
        text = request.headers["X-Subject-Token"]
        self.asked[text] += 1
        self.queries.append(dict(request.query))
        await self.gate.wait()
        if self.status is not None:
            return web.Response(status=self.status)
        if request.headers["X-Auth-Token"] not in self.own_tokens:
            return web.json_response({"error": {"code": 401}}, status=401)
        known = self.tokens.get(text)
        if known and "access_rules" in known.get("application_credential", ()):
            known = known if request.headers.get("OpenStack-Identity-Access-Rules") else None
        if known is None and request.query.get("allow_expired") == "1":
            known = self.expired.get(text)
        if known is None:
            return web.json_response({"error": {"code": 404}}, status=404)
        return web.json_response({"token": known})


@asynccontextmanager
async def fake_keystone() -> AsyncIterator[FakeKeystone]:
    keystone = FakeKeystone()
    keystone.gate.set()
    app = web.Application()
    app.router.add_post("/v3/auth/tokens", keystone.log_in)
    app.router.add_get("/v3/auth/tokens", keystone.validate)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        keystone.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield keystone
    finally:
        await runner.cleanup()
