"""Around every request: its id, who asks, and one line in the log. Query strings are never logged."""

import dataclasses
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
import structlog

from bessemer.api.authentication.proof import ANONYMOUS, Authentication, Denial, Proof
from bessemer.api.authentication.public import is_public
from bessemer.api.trace import HEADER, request_span, tell_request
from bessemer.api.v1 import error
from bessemer.kernel.histogram import Series
from bessemer.kernel.metric import API_REQUESTS
from bessemer.policy.policy import Policy
from bessemer.service.caller import Caller, credentials_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)

#: A request id that another service gave the work this request is part of.
_GLOBAL_ID = b"x-openstack-request-id"
_ID = re.compile(r"req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Headers that are looked at here.
_READ = frozenset({_GLOBAL_ID, b"x-auth-token", b"x-service-token", b"authorization"})
#: Code and fault of a denial in v2, by its status.
_V2_CODES = {
    401: ("unauthenticated", "user"),
    429: ("too-often", "user"),
    500: ("internal-error", "bug"),
    503: ("unavailable", "operator"),
}
#: In figures, the route of requests that none was found for; methods that are told apart there.
_NOWHERE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Paths below it carry a key that opens them.
_CAPABILITIES = "/boot/"
_EVENTS = "/redfish/events/"


class Access:
    """Puts a ``Caller`` into ``scope["state"]``, names the request in every answer, logs it when it is over.

    A request that ``authentication`` denies goes no further, unless it is a public call: that is then made
    by nobody. Requests that only read are logged at debug level: there are many, and they change nothing.
    """

    def __init__(self, app: App, authentication: Authentication, policy: Policy | None = None) -> None:
        """``policy`` judges callers; without one, only those that are trusted get anywhere."""
        self._app = app
        self._authentication = authentication
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid4()}"
        header = request_id.encode()
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = ((b"openstack-request-id", header), (_GLOBAL_ID, header))
                message["headers"] = [*message["headers"], *more]
                if span is not None:
                    message["headers"].append((HEADER, span.context.traceparent.encode()))
            await send(message)

        with (
            request_span(scope, request_id) as span,
            structlog.contextvars.bound_contextvars(request=request_id),
        ):
            try:
                caller = await self.identify(scope, request_id)
                scope["state"] = {**scope.get("state", {}), "caller": caller}
                await self._app(scope, receive, send_with_id)
            except Denial as denial:
                await _deny(send_with_id, scope["path"], denial)
            finally:
                took_s = time.perf_counter() - began
                method, route = _label(scope["method"]), scope.get("template", _NOWHERE)
                _series(method, route, status).observe(took_s)
                _record(scope, status, took_s)
                if span is not None:
                    tell_request(span, method, route, status)

    async def identify(self, scope: Scope, request_id: str) -> Caller:
        """Who asks, with the id and the address of the request. Raises Denial."""
        given = {name: value for name, value in scope["headers"] if name in _READ}
        proof = Proof(
            method=scope["method"],
            path=scope["path"],
            address=_address(scope),
            token=given.get(b"x-auth-token", b"").decode("latin-1").strip(),
            service_token=given.get(b"x-service-token", b"").decode("latin-1").strip(),
            authorization=given.get(b"authorization", b"").decode("latin-1"),
        )
        try:
            caller = await self._authentication.identify(proof)
        except Denial:
            if not is_public(proof.path):
                raise
            caller = ANONYMOUS
        except Exception as error:
            log.exception("authentication failed")
            text = "An internal error happened; the log has it under this request id."
            raise Denial(500, text) from error
        global_id = given.get(_GLOBAL_ID, b"").decode("latin-1")
        return dataclasses.replace(
            caller,
            request_id=request_id,
            global_request_id=global_id if _ID.fullmatch(global_id) else "",
            address=proof.address,
            policy=self._policy,
            creds=credentials_of(caller, is_public=caller is ANONYMOUS),
        )


async def _deny(send: Send, path: str, denial: Denial) -> None:
    body = _denial_v2(denial) if path.startswith("/v2/") else error.document(denial.status, denial.text)
    length = b"%d" % len(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", length), *denial.headers]
    await send({"type": "http.response.start", "status": denial.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _denial_v2(denial: Denial) -> bytes:
    code, fault = _V2_CODES[denial.status]
    return msgspec.json.encode({"error": {"code": code, "fault": fault, "message": denial.text, "hint": ""}})


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _label(method: str) -> str:
    """The method in figures, where not everything that can be sent is told apart."""
    return method if method in _METHODS else "other"


@cache
def _series(method: str, route: str, status: int) -> Series:
    """Found once: looking it up costs more than counting. There are as many as routes have outcomes."""
    return API_REQUESTS.labels(method, route, status)


def _record(scope: Scope, status: int, took_s: float) -> None:
    is_quiet = scope["method"] in ("GET", "HEAD") or scope["path"].startswith(_EVENTS)
    write = log.debug if is_quiet and status < 500 else log.info
    write(
        "request",
        method=scope["method"],
        path=_shown(scope["path"]),
        status=status,
        took_ms=round(took_s * 1000, 1),
        client=_address(scope),
    )


def _shown(path: str) -> str:
    """The path without what nobody else must see."""
    if path.startswith(_EVENTS):
        return f"{_EVENTS}***"
    if not path.startswith(_CAPABILITIES):
        return path
    node, _, _ = path.removeprefix(_CAPABILITIES).partition("/")
    return f"{_CAPABILITIES}{node}/***"
