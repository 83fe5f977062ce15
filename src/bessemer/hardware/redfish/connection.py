"""One BMC: a session kept and re-used, few requests at a time, a deadline for each, retries where they help.

DMTF's ``redfish.aio`` client carries the requests and renews an expired session on reads. What it leaves to
its caller is here: choosing between a session and basic authentication, renewing on writes, retries,
deadlines, and errors that name the BMC. Source: DMTF DSP0266, "Protocol details" and "Security details".
"""

import asyncio
import base64
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog
from redfish.aio import (
    AsyncRedfishClient,
    AsyncRestResponse,
    RedfishAuthenticationError,
    RedfishConnectionError,
    RedfishError,
    RedfishHTTPError,
    RedfishPasswordChangeRequiredError,
    RedfishProtocolError,
)

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.call_span import call_span
from bessemer.hardware.redfish.access import Access, AuthType
from bessemer.hardware.redfish.coordinator import BmcCoordinator
from bessemer.hardware.redfish.failure import (
    BUSY,
    BmcRefused,
    BmcSilent,
    BmcUnreachable,
    credentials_refused,
    from_answer,
    from_transport,
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

JsonObject = dict[str, Any]

log = structlog.get_logger(__name__)

#: Longest wait for a BMC to end a session of ours; it forgets it by itself later.
LOGOUT_S = 5.0
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
        self._client: AsyncRedfishClient | None = None
        self._headers: dict[str, str] | None = None
        self._was_told = False
        #: As the machine told it while it was asked for something else; for figures.
        self._vendor: str | None = None
        #: Path of the only system, once found (see ``system.find_system_path``).
        self.only_system: str | None = None

    async def get(self, path: str, *, deadline_s: float | None = None) -> JsonObject:
        """Read the resource at ``path``."""
        return (await self._call("GET", path, None, deadline_s)).body

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
        client = self._client
        self._forget_login(client)
        if client is not None:
            with suppress(RedfishError, TimeoutError):
                async with asyncio.timeout(LOGOUT_S):
                    await client.logout()

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

    async def _send(self, call: _Call) -> AsyncRestResponse:
        """One request, with a fresh login where the old session has expired."""
        client, headers = await self._logged_in()
        answer = await self._request(client, headers, call)
        if answer.status != 401:
            return answer
        self._forget_login(client)
        # On reads the client has already renewed its session; basic credentials do not expire.
        has_session = self.access.username is not None and not headers
        if call.method == "GET" or not has_session:
            return answer
        client, headers = await self._logged_in()
        return await self._request(client, headers, call)

    async def _request(
        self, client: AsyncRedfishClient, headers: Mapping[str, str], call: _Call
    ) -> AsyncRestResponse:
        every = {**headers, **call.headers}
        try:
            if call.method == "GET":
                return await client.get(call.path, headers=every)
            if call.method == "POST":
                return await client.post(call.path, body=call.body, headers=every)
            if call.method == "DELETE":
                return await client.delete(call.path, headers=every)
            return await client.patch(call.path, body=call.body, headers=every)
        except RedfishError as error:
            if isinstance(error, RedfishAuthenticationError):
                self._forget_login(client)
            raise self._translated(call.what, error) from error

    def _reply(self, call: _Call, answer: AsyncRestResponse) -> Reply:
        """A read must bring a JSON object; what an action answers besides its status nobody needs."""
        body: Any = None
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            body = msgspec.json.decode(answer.read)
        if not isinstance(body, dict):
            if call.method == "GET" and answer.status != 204:
                raise not_json(self.name, call.what, answer)
            body = {}
        return Reply(
            answer.status, body, location=answer.getheader("Location"), etag=answer.getheader("ETag")
        )

    def _translated(self, what: str, error: RedfishError) -> Exception:
        if isinstance(error, RedfishPasswordChangeRequiredError):
            return BmcRefused(
                f"The BMC at {self.name} wants the password of this account changed first.",
                hint="Change it at the BMC, then in redfish_password.",
                status=403,
            )
        if isinstance(error, RedfishAuthenticationError):
            return credentials_refused(self.name, 401)
        if isinstance(error, RedfishHTTPError):
            return from_answer(self.name, what, error.response)
        if isinstance(error, RedfishConnectionError):
            return from_transport(self.name, what, error)
        if isinstance(error, RedfishProtocolError):
            return BmcUnreachable(f"The BMC at {self.name} answered {what} with nonsense: {error}.")
        return BmcRefused(f"The BMC at {self.name} points {what} elsewhere: {error}.")

    # ------------------------------------------------------------------ logging in

    async def _logged_in(self) -> tuple[AsyncRedfishClient, Mapping[str, str]]:
        """The client, and the headers that carry basic authentication (none with a session)."""
        if self._client is not None and self._headers is not None:
            return self._client, self._headers
        async with self._login_lock:
            if self._client is None or self._headers is None:
                client = self._new_client()
                try:
                    headers = await self._log_in(client)
                except RedfishError as error:
                    raise self._translated("the login", error) from error
                self._client, self._headers = client, headers
            return self._client, self._headers

    def _new_client(self) -> AsyncRedfishClient:
        if not self.access.is_secure and not self._was_told:
            self._was_told = True
            log.warning("BMC is reached without TLS, as its redfish_address says", bmc=self.name)
        return AsyncRedfishClient(
            self.access.origin,
            username=self.access.username,
            password=self.access.password.reveal() if self.access.username else None,
            session=self._transport.session(self.access),
            default_prefix=self.access.root_path,
        )

    async def _log_in(self, client: AsyncRedfishClient) -> dict[str, str]:
        """Open a session, or find out that this BMC wants basic authentication; gives the headers for it."""
        access = self.access
        if access.username is None:
            return {}
        if access.auth_type is AuthType.BASIC or not access.is_secure:
            return self._basic()
        if access.auth_type is AuthType.AUTO and not await self._has_sessions(client):
            return self._basic()
        try:
            await client.login("session")
        except RedfishHTTPError as error:
            # No session to be had: the service is off, or all its sessions are taken.
            if access.auth_type is AuthType.SESSION:
                raise
            if error.response.status in BUSY - {503}:
                raise
            return self._basic()
        return {}

    async def _has_sessions(self, client: AsyncRedfishClient) -> bool:
        """Whether the service root, which needs no login, names a session service."""
        try:
            root = await client.get_service_root()
        except RedfishAuthenticationError:
            return False
        return bool(root.get("SessionService") or (root.get("Links") or {}).get("Sessions"))

    def _basic(self) -> dict[str, str]:
        account = f"{self.access.username}:{self.access.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(account).decode()}"}

    def _forget_login(self, used: AsyncRedfishClient | None) -> None:
        """Log in anew before the next request, unless somebody else already has. The connections stay."""
        if self._client is used:
            self._client = None
            self._headers = None
