"""One BMC: a session kept and re-used, few requests at a time, a deadline for each, retries where they help.

DMTF's ``redfish.aio`` client logs in and carries the requests (see ``login``). What it leaves to its caller
is here: renewing sessions, retries and deadlines. Source: DMTF DSP0266, "Protocol details".
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.call_span import call_span
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.coordinator import BmcCoordinator
from bessemer.hardware.redfish.failure import (
    BmcRefused,
    BmcSilent,
    BmcUnreachable,
    from_answer,
    no_answer,
    not_json,
)
from bessemer.hardware.redfish.template import path_template
from bessemer.hardware.redfish.transport import Transport
from bessemer.hardware.redfish.vendor import vendor_of
from bessemer.hardware.urgency import Urgency, current_urgency
from bessemer.kernel.error import DeviceError
from bessemer.kernel.metric import BMC_ERRORS, BMC_S, vendor_label
from bessemer.kernel.secret import secrets_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientSession
    from redfish.aio import AsyncRestResponse

    from bessemer.hardware.redfish.login import Login

JsonObject = dict[str, Any]

log = structlog.get_logger(__name__)

#: Tries of a sweep's read: it will look again anyway.
_SWEEP_ATTEMPTS = 2
_MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` is empty where the BMC sent none. ``location`` names a task or a new resource."""

    status: int
    body: JsonObject
    location: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    body: JsonObject | None
    headers: Mapping[str, str]

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


class BmcConnection:
    """The way to one BMC for everybody who needs it. Opens nothing before the first request.

    All methods raise ``BmcUnreachable`` (no usable answer; retry) and ``BmcRefused`` (the answer is no).
    ``deadline_s`` bounds a whole call: waiting for a free slot, logging in, and all retries.
    """

    def __init__(
        self, access: Access, settings: RedfishSettings, transport: Transport, coordinator: BmcCoordinator
    ) -> None:
        self.access = access
        self.name = coordinator.name
        #: When somebody last asked for it, for the pool.
        self.used_at = 0.0
        self._settings = settings
        self._transport = transport
        self._coordinator = coordinator
        self._login_lock = asyncio.Lock()
        self._login: Login | None = None
        self._was_told = False
        #: As the machine told it while it was asked for something else; for figures.
        self._vendor: str | None = None
        #: Path of the only system, once found (see ``system.find_system_path``).
        self.only_system: str | None = None

    async def get(self, path: str, *, deadline_s: float | None = None) -> JsonObject:
        """Read the resource at ``path``."""
        return (await self.ask(path, deadline_s=deadline_s)).body

    async def ask(self, path: str, *, deadline_s: float | None = None) -> Reply:
        """As ``get``, for those to whom the status says something."""
        return await self._call("GET", path, None, deadline_s)

    async def post(self, path: str, body: Mapping[str, Any], *, deadline_s: float | None = None) -> Reply:
        """Run an action. Sent again only when the first try cannot have reached the BMC."""
        return await self._call("POST", path, dict(body), deadline_s)

    async def patch(self, path: str, body: Mapping[str, Any], *, deadline_s: float | None = None) -> Reply:
        """Change a resource. A BMC that insists on an entity tag gets the current one."""
        try:
            return await self._call("PATCH", path, dict(body), deadline_s)
        except BmcRefused as refused:
            if refused.status not in (412, 428):
                raise
        current = await self._call("GET", path, None, deadline_s)
        headers = {"If-Match": current.etag} if current.etag else {}
        return await self._call("PATCH", path, dict(body), deadline_s, headers)

    async def delete(self, path: str, *, deadline_s: float | None = None) -> Reply:
        """Take a resource away. Sent again only when the first try cannot have reached the BMC."""
        return await self._call("DELETE", path, None, deadline_s)

    async def close(self) -> None:
        """End the session at the BMC (it allows only a few). Idempotent."""
        login, self._login = self._login, None
        if login is not None:
            await login.end()

    # ------------------------------------------------------------------ one call

    async def _call(
        self,
        method: str,
        path: str,
        body: JsonObject | None,
        deadline_s: float | None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        circuit = self._coordinator.circuit
        circuit.check(current_urgency())
        began = time.perf_counter()
        try:
            with call_span(method, path_template, path, {"server.address": self.name}) as span:
                reply = await self._asked(_Call(method, path, body, headers or {}), deadline_s)
                if span is not None:
                    span.note({"http.response.status_code": reply.status})
        except DeviceError as error:
            BMC_ERRORS.labels(vendor_label(self._vendor), error.code).inc()
            self._note(error)
            raise
        finally:
            BMC_S.labels(vendor_label(self._vendor), method).observe(time.perf_counter() - began)
        circuit.note_answer()
        if self._vendor is None:
            self._vendor = vendor_of(reply.body)
        return reply

    def _note(self, error: DeviceError) -> None:
        """What the failure of a call tells of the way to the BMC."""
        circuit = self._coordinator.circuit
        if isinstance(error, BmcUnreachable):
            if error.status == 0:
                circuit.note_silence(error.message)
            else:
                circuit.note_answer()
        elif isinstance(error, BmcRefused):
            circuit.note_answer()

    async def _asked(self, call: _Call, deadline_s: float | None) -> Reply:
        """As ``_in_time``. BMCs repeat what they were sent: what is secret of it is not said again."""
        try:
            return await self._in_time(call, deadline_s)
        except DeviceError as error:
            error.hide({self.access.password.reveal(), *secrets_in(call.body)})
            raise

    async def _in_time(self, call: _Call, deadline_s: float | None) -> Reply:
        limit_s = deadline_s or self._settings.request_timeout
        failures: list[BmcUnreachable] = []
        try:
            async with asyncio.timeout(limit_s):
                return await self._insist(call, failures)
        except TimeoutError as error:
            raise failures[-1] if failures else no_answer(self.name, call.what, limit_s) from error

    async def _insist(self, call: _Call, failures: list[BmcUnreachable]) -> Reply:
        """Try until it works, says no, or trying again would be wrong or useless."""
        urgency = current_urgency()
        attempts = max(1, self._settings.connection_attempts)
        if urgency is Urgency.SWEEP:
            attempts = min(attempts, _SWEEP_ATTEMPTS)
        for attempt in range(1, attempts + 1):
            try:
                return await self._try(call, urgency)
            except BmcSilent:
                if attempt >= attempts:
                    raise
            except BmcUnreachable as error:
                may_repeat = error.is_unsent or call.method == "GET"
                # An internal error is rarely a passing one: a second look is enough.
                most = min(attempts, 2) if error.status == 500 else attempts
                if attempt >= most or not may_repeat:
                    raise
                failures.append(error)
                await asyncio.sleep(self._settings.connection_retry_interval)
        raise AssertionError("unreachable")

    async def _try(self, call: _Call, urgency: Urgency) -> Reply:
        """One try, when it is its turn. A read is given up when the BMC takes much longer than it usually
        does: the answer to another one may come at once.
        """
        bmc = self._coordinator
        async with bmc.turns.take(urgency):
            if call.method != "GET":
                return await self._follow(call)
            limit_s, began = bmc.patience.limit_s, bmc.now()
            try:
                async with asyncio.timeout(limit_s):
                    reply = await self._follow(call)
            except TimeoutError as error:
                bmc.patience.miss()
                raise no_answer(self.name, call.what, limit_s) from error
            bmc.patience.learn(bmc.now() - began)
            return reply

    async def _follow(self, call: _Call) -> Reply:
        """One try, following redirects of reads within the BMC."""
        asked = call
        for _ in range(_MOST_REDIRECTS):
            answer = await self._send(call)
            target = answer.getheader("Location")
            if call.method != "GET" or answer.status not in (301, 302, 307, 308) or not target:
                break
            call = replace(call, path=target)
        if not 200 <= answer.status < 300:
            raise from_answer(self.name, asked.what, answer)
        return self._reply(asked, answer)

    async def _send(self, call: _Call) -> "AsyncRestResponse":
        """One request, with a fresh login where the old session has expired."""
        login = await self._logged_in()
        answer = await _request(login, call)
        if answer.status != 401:
            return answer
        if not login.has_session:  # basic credentials do not expire
            self._forget(login)
            return answer
        async with self._login_lock:
            if self._login is login:
                return await self._send_afresh(call)
        return await _request(await self._logged_in(), call)

    async def _send_afresh(self, call: _Call) -> "AsyncRestResponse":
        """One request with a login of its own, which stays where that helps. Where it does not, the resource
        is refused and not the session: the old login stays, and the new one must not cost a session.
        """
        login = await self._log_in()
        is_refused = False
        try:
            answer = await _request(login, call)
            is_refused = answer.status == 401
        finally:
            if not is_refused:
                self._login = login
        if is_refused:
            await login.end()
        return answer

    def _reply(self, call: _Call, answer: "AsyncRestResponse") -> Reply:
        """A read must bring a JSON object; what an action answers besides its status nobody needs."""
        body: Any = None
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = msgspec.json.decode(answer.read)
        if not isinstance(body, dict):
            if call.method == "GET" and answer.status not in (202, 204):
                raise not_json(self.name, call.what, answer)
            body = {}
        return Reply(
            answer.status, body, location=answer.getheader("Location"), etag=answer.getheader("ETag")
        )

    # ------------------------------------------------------------------ logging in

    async def _logged_in(self) -> "Login":
        if self._login is not None:
            return self._login
        async with self._login_lock:
            if self._login is None:
                self._tell_of_no_tls()
                self._login = await self._log_in()
            return self._login

    async def _log_in(self) -> "Login":
        # In a thread: the first connection of a process loads what the loop must not wait for.
        open_login = await asyncio.to_thread(_load)
        return await open_login(self.name, self.access, self._transport.session(self.access))

    def _tell_of_no_tls(self) -> None:
        if not self.access.is_secure and not self._was_told:
            self._was_told = True
            log.warning("BMC is reached without TLS, as its redfish_address says", bmc=self.name)

    def _forget(self, used: "Login") -> None:
        """Log in anew before the next request, unless somebody else already has. The connections stay."""
        if self._login is used:
            self._login = None


async def _request(login: "Login", call: _Call) -> "AsyncRestResponse":
    return await login.request(call.method, call.path, call.body, call.headers)


def _load() -> "Callable[[str, Access, ClientSession], Awaitable[Login]]":
    from bessemer.hardware.redfish.login import Login

    return Login.open
