"""An agent's command interface over real TLS, for tests of its client. Source: agent API, "routes"."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from fakes.certificate import ServerCertificate, make_certificate
from fakes.task import make_task

TOKEN = "t0ken" * 8


@dataclass
class FakeAgent:
    certificate: ServerCertificate
    url: str = ""
    token: str = TOKEN
    #: Commands it knows, and what each leads to: the result of a command that is complete at once.
    known: dict[str, Any] = field(default_factory=lambda: {"standby.sync": None, "deploy.long": None})
    #: Commands that stay RUNNING.
    long: set[str] = field(default_factory=lambda: {"deploy.long"})
    commands: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    #: What happens to the next POSTs: "drop before" or "drop after" the command was taken, "hang", a status,
    #: a whole response.
    trouble: list[Any] = field(default_factory=list)
    trouble_on_get: list[Any] = field(default_factory=list)

    def node(self, **internal: Any) -> Any:
        facts = {
            "agent_url": self.url,
            "agent_secret_token": self.token,
            "agent_verify_ca": self.certificate.pem,
            **internal,
        }
        return make_task(name="n1", driver_internal_info=facts).node

    def count(self, method: str) -> int:
        return sum(request[0] == method for request in self.requests)

    def finish(self, number: int = -1, **changes: Any) -> None:
        self.commands[number].update({"command_status": "SUCCEEDED", **changes})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        if request.query.get("agent_token") != self.token:
            return _fault(401, "Token invalid.")
        line = self.trouble if request.method == "POST" else self.trouble_on_get
        trouble = line.pop(0) if line else None
        if isinstance(trouble, web.Response):
            return trouble
        if isinstance(trouble, int):
            return _fault(trouble, "As the test wants it.")
        if trouble == "hang":
            await asyncio.Event().wait()
        if trouble == "drop before":
            return _drop(request)
        answer = await (self._post(request) if request.method == "POST" else self._get(request))
        return _drop(request) if trouble == "drop after" else answer

    async def _get(self, request: web.Request) -> web.Response:
        if not request.match_info["id"]:
            return web.json_response({"commands": self.commands})
        for command in self.commands:
            if command["id"] == request.match_info["id"]:
                return web.json_response(command)
        return _fault(404, "No such command.")

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        if any(command["command_status"] == "RUNNING" for command in self.commands):
            return _fault(409, "Agent is busy.")
        if body["name"] not in self.known:
            return _fault(404, f"Unknown command {body['name']}.")
        command = {
            "id": f"c{next(_numbers)}",
            "command_name": body["name"].partition(".")[2],
            "command_status": "RUNNING" if body["name"] in self.long else "SUCCEEDED",
            "command_error": None,
            "command_result": self.known[body["name"]],
            "params": body["params"],
        }
        self.commands.append(command)
        return web.json_response(command)


_numbers = itertools.count(1)


def _fault(status: int, text: str) -> web.Response:
    return web.json_response({"faultcode": "Client", "faultstring": text}, status=status)


def _drop(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


@asynccontextmanager
async def fake_agent(directory: Path, **certificate: Any) -> AsyncIterator[FakeAgent]:
    agent = FakeAgent(make_certificate(directory, name="agent", **certificate))
    app = web.Application()
    app.router.add_route("*", "/v1/commands/{id:.*}", agent.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=agent.certificate.context())
        await site.start()
        agent.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield agent
    finally:
        await runner.cleanup()
