"""The BMC's HTTPS server: authentication, faults, dispatch, and errors in Redfish's shape.

Source: DMTF DSP0266.
"""

import asyncio
import hashlib
import json
import logging
import ssl
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bessemer_lab.bmc import (
    chassis,
    ethernet,
    manager,
    memory,
    message,
    processor,
    service_root,
    simple_storage,
    storage,
)
from bessemer_lab.bmc.bios import Bios
from bessemer_lab.bmc.courier import Courier
from bessemer_lab.bmc.event_service import EventService
from bessemer_lab.bmc.fault import FaultKind, Faults
from bessemer_lab.bmc.journal import RequestJournal
from bessemer_lab.bmc.path import SESSIONS, SystemPath
from bessemer_lab.bmc.resource import Answer, Resource
from bessemer_lab.bmc.secure_boot import SecureBoot
from bessemer_lab.bmc.session import Access
from bessemer_lab.bmc.session_service import SessionService
from bessemer_lab.bmc.system import System
from bessemer_lab.bmc.virtual_media import VirtualCd
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.power import PowerState

_log = logging.getLogger(__name__)

_READ_TIMEOUT_S = 30.0


class Bmc:
    """One machine's BMC on one loopback port."""

    def __init__(self, board: Mainboard, *, username: str, password: str, port: int) -> None:
        self.faults = Faults()
        self.requests = RequestJournal()
        self.access = Access(username, password)
        self.events = EventService()
        self._board = board
        self._power = board.power_state
        self._session: aiohttp.ClientSession | None = None
        self._courier: Courier | None = None
        self._port = port
        self._session_service = SessionService(self.access, self.faults)
        self._resources = {resource.path: resource for resource in self._build()}
        self._runner: web.ServerRunner | None = None

    async def open(self, certificate: Path, key: Path) -> None:
        """Listen on 127.0.0.1. Raises OSError when the port is taken."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context).start()
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))
        self._courier = Courier(self._session)
        self.events.connect(self._courier)
        self._board.watch(self._tell)

    async def close(self) -> None:
        """Stop listening and end every connection. Idempotent."""
        self.faults.clear()
        if self._courier is not None and self._session is not None:
            await self._courier.close()
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _build(self) -> list[Resource]:
        board = self._board
        parts = (service_root, processor, memory, ethernet, storage, simple_storage, manager, chassis)
        return [
            *(resource for part in parts for resource in part.build(board)),
            *System(board).build(),
            *Bios(board).build(),
            *SecureBoot(board).build(),
            *VirtualCd(board).build(),
            *self._session_service.build(),
            *self.events.build(),
        ]

    def _tell(self, state: PowerState) -> None:
        origin = SystemPath(self._board.uuid).system
        if state is self._power:
            self.events.tell_reset(origin)
        else:
            self.events.tell_power(state, origin)
        self._power = state

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began_s = time.monotonic()
        path = request.path.rstrip("/")
        status = 0
        try:
            fault = self.faults.take(request.method, path)
            if fault is not None and fault.kind is FaultKind.DROP:
                return _drop(request)
            if fault is not None and fault.kind is FaultKind.HANG:
                await self.faults.wait_for_release()
            if self.faults.delay_s:
                await asyncio.sleep(self.faults.delay_s)
            try:
                if fault is not None and fault.kind is FaultKind.STATUS:
                    answer = _describe(message.injected(fault.status))
                else:
                    answer = await self._answer(request, path)
            except message.RedfishError as error:
                answer = _describe(error)
            except Exception:  # noqa: BLE001  the top edge of a request: the client gets an answer, the log the reason
                _log.exception("a request failed", extra={"method": request.method, "path": path})
                answer = _describe(message.internal_error())
            status = answer.status
            return _encode(answer)
        finally:
            self.requests.record(request.method, path, status, began_s)

    async def _answer(self, request: web.BaseRequest, path: str) -> Answer:
        method = request.method
        resource = self._resources.get(path)
        is_public = (resource is not None and resource.is_public) or (method, path) == ("POST", SESSIONS)
        if not is_public:
            self._authenticate(request, path)
        if any(name.startswith("$") for name in request.query):
            raise message.query_not_supported()
        resource = resource or self._session_service.find(path) or self.events.find(path)
        if resource is None:
            raise message.not_found(path)
        if method in {"GET", "HEAD"} and resource.get is not None:
            body = resource.get()
            return Answer(body, headers={"ETag": _tag(body), "Allow": _list_methods(resource)})
        if method == "PATCH" and resource.patch is not None:
            self._require_match(request, resource)
            return await resource.patch(await _read_object(request))
        if method == "POST" and resource.post is not None:
            return await resource.post(await _read_object(request))
        if method == "DELETE" and resource.delete is not None:
            return await resource.delete()
        refusal = _describe(message.method_not_allowed(method, path))
        return Answer(refusal.body, refusal.status, {"Allow": _list_methods(resource)})

    def _authenticate(self, request: web.BaseRequest, path: str) -> None:
        token = request.headers.get("X-Auth-Token")
        if token is not None:
            if not self.access.use_token(token):
                raise message.no_session()
            return
        header = request.headers.get("Authorization")
        if header is None:
            raise message.no_session()
        if self.faults.refuses_logins or not self.access.is_basic(header):
            raise message.login_failed(path)

    def _require_match(self, request: web.BaseRequest, resource: Resource) -> None:
        """Refuse a change based on a state of the resource that is not the present one."""
        wanted = request.headers.get("If-Match")
        if wanted is None or wanted.strip() == "*" or resource.get is None:
            return
        present = _tag(resource.get()).removeprefix("W/")
        if present not in (tag.strip().removeprefix("W/") for tag in wanted.split(",")):
            raise message.precondition_failed()


def _drop(request: web.BaseRequest) -> web.Response:
    """Cut the connection; the response goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _describe(error: message.RedfishError) -> Answer:
    headers = {"WWW-Authenticate": 'Basic realm="Redfish"'} if error.status == 401 else {}
    return Answer(error.to_json(), error.status, headers)


def _encode(answer: Answer) -> web.Response:
    headers = {"OData-Version": "4.0", "Cache-Control": "no-cache", **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.json_response(answer.body, status=answer.status, headers=headers)


def _tag(body: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
    return f'W/"{digest}"'


def _list_methods(resource: Resource) -> str:
    offered = {
        "GET": resource.get,
        "HEAD": resource.get,
        "PATCH": resource.patch,
        "POST": resource.post,
        "DELETE": resource.delete,
    }
    return ", ".join(name for name, handler in offered.items() if handler is not None)


async def _read_object(request: web.BaseRequest) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty object."""
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            data = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise message.RedfishError(413, "GeneralError", "The request body is too large.") from None
    except TimeoutError:
        raise message.RedfishError(408, "GeneralError", "The request body did not come.") from None
    if not data.strip():
        return {}
    try:
        body = json.loads(data)
    except ValueError:
        raise message.malformed_json() from None
    if not isinstance(body, dict):
        raise message.not_an_object()
    return body
