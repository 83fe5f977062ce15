"""An HTTPS server on loopback whose every answer is scripted: for BMCs that misbehave."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from fakes.certificate import ServerCertificate, make_certificate

ROOT = "/redfish/v1/"
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
SESSIONS = "/redfish/v1/SessionService/Sessions"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedBmc:
    """``resources`` are read by GET; ``script`` overrides ``"METHOD /path"``, one answer after the other.

    An answer is a status, a body, a pair of both, a whole response, or a handler; the last one stays.
    """

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    script: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""
    certificate: ServerCertificate | None = None

    def driver_info(self, **changes: Any) -> dict[str, Any]:
        """Of a node without an account at this BMC, unless ``changes`` bring one."""
        assert self.certificate is not None
        return {
            "redfish_address": self.address,
            "redfish_verify_ca": str(self.certificate.certificate),
            **changes,
        }

    def on(self, request: str, *answers: Any) -> None:
        self.script[request] = list(answers)

    def count(self, request: str) -> int:
        return sum(f"{asked.method} {asked.path}" == request for asked in self.asked)

    def bodies(self, request: str) -> list[Any]:
        return [a.body for a in self.asked if f"{a.method} {a.path}" == request]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append(Asked(request.method, request.path, dict(request.headers), body))
        answers = self.script.get(f"{request.method} {request.path}")
        if answers:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            return await _respond(answer, request)
        if request.method == "GET" and request.path in self.resources:
            return web.json_response({"@odata.id": request.path, **self.resources[request.path]})
        return error(404, "There is no such resource.", "ResourceMissingAtURI")


async def _respond(answer: Any, request: web.Request) -> web.StreamResponse:
    if callable(answer):
        response: web.StreamResponse = await answer(request)
        return response
    if isinstance(answer, web.Response):
        # A response object can be sent once; a scripted one may be sent again.
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    if isinstance(answer, int):
        return web.Response(status=answer)
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    return web.json_response(body, status=status)


def error(status: int, text: str, message_id: str = "GeneralError") -> web.Response:
    """A Redfish error with extended information."""
    info = {"MessageId": f"Base.1.8.{message_id}", "Message": text, "Resolution": "Do what is right."}
    body = {"error": {"code": "Base.1.8.GeneralError", "message": "x", "@Message.ExtendedInfo": [info]}}
    return web.json_response(body, status=status)


def system_body(**changes: Any) -> dict[str, Any]:
    """An ordinary system that is on."""
    return {
        "Id": "1",
        "PowerState": "On",
        "Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"},
        "Actions": {"#ComputerSystem.Reset": {"target": f"{SYSTEM}/Actions/ComputerSystem.Reset"}},
        **changes,
    }


@asynccontextmanager
async def scripted_bmc(directory: Path) -> AsyncIterator[ScriptedBmc]:
    """A BMC with a service root and one ordinary system, until the end of the block."""
    bmc = ScriptedBmc(certificate=make_certificate(directory, is_ca=True, name="scripted"))
    assert bmc.certificate is not None
    bmc.resources[ROOT] = {"Systems": {"@odata.id": "/redfish/v1/Systems"}}
    bmc.resources["/redfish/v1/Systems"] = {"Members": [{"@odata.id": SYSTEM}]}
    bmc.resources[SYSTEM] = system_body()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", bmc.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=bmc.certificate.context())
        await site.start()
        bmc.address = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield bmc
    finally:
        await runner.cleanup()
