"""The server of a simulated fleet: one port of the loopback network, one address for each machine."""

import asyncio
import json
import ssl
import time
from pathlib import Path
from types import TracebackType

import aiohttp
from aiohttp import web

from bessemer_lab.bmc import message
from bessemer_lab.bmc.certificate import ensure_certificate
from bessemer_lab.bmc.courier import Courier
from bessemer_lab.bmc.event_service import EventService
from bessemer_lab.bmc.resource import Answer, Json
from bessemer_lab.fleet import redfish
from bessemer_lab.fleet.agent import SimulatedAgent, Surroundings
from bessemer_lab.fleet.control import Control
from bessemer_lab.fleet.fault import Chance, Fate
from bessemer_lab.fleet.machine import SYSTEM, Pace, SimulatedServer, number_of
from bessemer_lab.fleet.medium import MediumReader
from bessemer_lab.fleet.record import Call, Record

_COMMANDS = "/v1/commands"
#: An idle connection is closed by a BMC after this long.
_KEEPALIVE_S = 150.0
_BACKLOG = 4096
#: Longest wait of an agent for one answer of the service.
_AGENT_CALL_S = 60.0
_SECRET = frozenset({"Password"})


class Fleet:
    """``size`` servers, from number 0 on: 127.1.0.1, 127.1.0.2, and so on, all on the same port.

    ``directory`` turns on TLS: one certificate for all, kept there; clients must not verify it, since it
    names none of the addresses. ``chance`` may be replaced at any time. As a context manager it listens.
    """

    def __init__(
        self,
        size: int,
        *,
        pace: Pace | None = None,
        chance: Chance | None = None,
        record: Record | None = None,
        directory: Path | None = None,
        port: int = 0,
        has_events: bool = True,
    ) -> None:
        """``has_events``: whether the BMCs have an event service."""
        self.pace = pace or Pace()
        self.chance = chance or Chance()
        self.record = record or Record()
        self.servers = [
            SimulatedServer(number, self.pace, self._boot_agent, self._end_agent) for number in range(size)
        ]
        if has_events:
            for server in self.servers:
                server.events = EventService()
        self.port = port
        self._directory = directory
        self._control = Control(self.servers, self.record, self._set_chance)
        self._released = asyncio.Event()
        self._agents: dict[int, SimulatedAgent] = {}
        self._lives: dict[int, asyncio.Task[None]] = {}

    def _set_chance(self, chance: Chance) -> None:
        self.chance = chance

    async def __aenter__(self) -> "Fleet":
        """Raises OSError when the port is taken."""
        context, certificate = self._tls()
        server = web.Server(self._handle, access_log=None, keepalive_timeout=_KEEPALIVE_S)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        # Every address of the loopback network is ours; those of other networks are refused (``_handle``).
        site = web.TCPSite(self._runner, "0.0.0.0", self.port, ssl_context=context, backlog=_BACKLOG)  # noqa: S104
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=False),
            timeout=aiohttp.ClientTimeout(total=_AGENT_CALL_S),
        )
        self._courier = Courier(self._session)
        for one in self.servers:
            if one.events is not None:
                one.events.connect(self._courier)
        self._around = Surroundings(self._session, MediumReader(self._session), self.port, certificate)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lives = list(self._lives.values())
        for one in self.servers:
            one.close()
        self._released.set()
        await asyncio.gather(*lives, return_exceptions=True)
        await self._courier.close()
        await self._session.close()
        await self._runner.cleanup()
        self.record.close()

    def bmc_url(self, number: int) -> str:
        return f"{'https' if self._directory else 'http'}://{self.servers[number].address}:{self.port}"

    @property
    def control_url(self) -> str:
        """Where other processes ask after the fleet (see ``control``)."""
        return f"{'https' if self._directory else 'http'}://127.0.0.1:{self.port}/fleet"

    def driver_info(self, number: int) -> dict[str, object]:
        """How a service reaches the server: the ``redfish_*`` settings of its node."""
        return {
            "redfish_address": self.bmc_url(number),
            "redfish_system_id": SYSTEM,
            "redfish_username": redfish.USERNAME,
            "redfish_password": redfish.PASSWORD,
            "redfish_verify_ca": False,
        }

    def _tls(self) -> tuple[ssl.SSLContext | None, str | None]:
        if self._directory is None:
            return None, None
        certificate, key = ensure_certificate(self._directory, "fleet", is_authority=False)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        return context, certificate.read_text()

    # ------------------------------------------------------------------ ramdisks

    def _boot_agent(self, server: SimulatedServer) -> None:
        agent = self._agents[server.number] = SimulatedAgent(server, self._around)
        life = asyncio.get_running_loop().create_task(agent.live(), name=f"agent of {server.number}")
        self._lives[server.number] = life

    def _end_agent(self, server: SimulatedServer) -> None:
        self._agents.pop(server.number, None)
        life = self._lives.pop(server.number, None)
        if life is not None:
            life.cancel()

    # ------------------------------------------------------------------ calls

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        address = str(transport.get_extra_info("sockname")[0]) if transport else ""
        number = number_of(address)
        if address == "127.0.0.1":
            return await self._control.answer(request)
        if not 0 <= number < len(self.servers):
            return _cut(request)
        server, path = self.servers[number], request.path.rstrip("/")
        asked = "agent" if path.startswith(_COMMANDS) else "bmc"
        began, at = time.monotonic(), time.time()
        body = await _read_body(request)
        fate = Fate.FINE
        if asked == "bmc":
            server.calls += 1
            fate = self.chance.fate(number, server.calls)
            await asyncio.sleep(self.pace.answer_s)
        is_done, answer = False, None
        if fate in (Fate.FINE, Fate.CUT_AFTER, Fate.HANG_AFTER):
            answer = (
                self._agent(server, request, path, body) if asked == "agent" else _bmc(server, request, body)
            )
            is_done = answer.status < 300
        elif fate in (Fate.BUSY, Fate.FAILED):
            status = 503 if fate is Fate.BUSY else 500
            answer = Answer(message.injected(status).to_json(), status)
        is_lost = fate not in (Fate.FINE, Fate.BUSY, Fate.FAILED)
        status = 0 if answer is None or is_lost else answer.status
        shown = {name: value for name, value in body.items() if name not in _SECRET} or None
        self.record.add(
            Call(at, number, asked, request.method, path, shown, status, is_done, time.monotonic() - began)
        )
        if fate in (Fate.HANG_BEFORE, Fate.HANG_AFTER):
            await self._released.wait()
        return _cut(request) if is_lost or answer is None else _encode(answer)

    def _agent(self, server: SimulatedServer, request: web.BaseRequest, path: str, body: Json) -> Answer:
        agent = self._agents.get(server.number)
        if agent is None:  # nobody listens there; near enough
            return Answer({"faultstring": "No agent runs here."}, 503)
        command = path.removeprefix(_COMMANDS).strip("/")
        return agent.answer(request.method, command, dict(request.query), body)


def _bmc(server: SimulatedServer, request: web.BaseRequest, body: Json) -> Answer:
    try:
        return redfish.answer(server, request.method, request.path.rstrip("/"), request.headers, body)
    except message.RedfishError as error:
        return Answer(error.to_json(), error.status)


async def _read_body(request: web.BaseRequest) -> Json:
    """The JSON object of a call; an empty one for anything else."""
    data = await request.read() if request.can_read_body else b""
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        body = {}
    return body if isinstance(body, dict) else {}


def _encode(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def _cut(request: web.BaseRequest) -> web.Response:
    """End the connection; the response goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
