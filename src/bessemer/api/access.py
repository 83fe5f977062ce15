"""Around every request: its id, who asks, and one line in the log. Query strings are never logged."""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

import structlog

from bessemer.service.caller import Caller

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)

#: A request id that another service gave the work this request is part of.
_GLOBAL_ID = b"x-openstack-request-id"
_ID = re.compile(r"req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Paths below it carry a key that opens them.
_CAPABILITIES = "/boot/"


class Access:
    """Puts a ``Caller`` into ``scope["state"]``, names the request in every answer, logs it when it is over.

    Requests that only read are logged at debug level: there are many, and they change nothing.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid4()}"
        scope["state"] = {**scope.get("state", {}), "caller": _caller(scope, request_id)}
        header = request_id.encode()
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = ((b"openstack-request-id", header), (_GLOBAL_ID, header))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                _record(scope, status, time.perf_counter() - began)


def _caller(scope: Scope, request_id: str) -> Caller:
    client = scope.get("client")
    given = next((value for name, value in scope["headers"] if name == _GLOBAL_ID), b"").decode("latin-1")
    return Caller(
        request_id=request_id,
        global_request_id=given if _ID.fullmatch(given) else "",
        address=client[0] if client else "",
    )


def _record(scope: Scope, status: int, took_s: float) -> None:
    write = log.debug if scope["method"] in ("GET", "HEAD") and status < 500 else log.info
    write(
        "request",
        method=scope["method"],
        path=_shown(scope["path"]),
        status=status,
        took_ms=round(took_s * 1000, 1),
        client=scope["state"]["caller"].address,
    )


def _shown(path: str) -> str:
    """The path without what nobody else must see."""
    if not path.startswith(_CAPABILITIES):
        return path
    node, _, _ = path.removeprefix(_CAPABILITIES).partition("/")
    return f"{_CAPABILITIES}{node}/***"
