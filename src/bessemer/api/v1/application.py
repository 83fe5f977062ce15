"""The ASGI application of v1: finds the row, lets the tables check the request, calls the handler.

Errors of every kind become answers here, and only here.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from bessemer.api.audit import describe
from bessemer.api.v1 import body as request_body
from bessemer.api.v1 import error, patch, query, value
from bessemer.api.v1.call import Answer, Call, empty, failed
from bessemer.api.v1.error import Refusal
from bessemer.api.v1.route import Anything, PatchOf, Route, Router
from bessemer.api.v1.version import MAX, Behaviour, Version, answer_headers, negotiate
from bessemer.config.settings import ApiSettings
from bessemer.kernel.error import BessemerError, NotFound
from bessemer.service.caller import Caller

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

log = structlog.get_logger(__name__)

_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NOBODY = Caller()
#: Dropped from the end of a path for older clients, when nothing has that name.
_SUFFIX = ".json"
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


class V1:
    """``routes`` are all calls there are, ``newest`` is the newest version served. The caller of a request is
    taken from ``scope["state"]``."""

    def __init__(self, routes: Iterable[Route], settings: ApiSettings, *, newest: int = MAX) -> None:
        self.router = Router(routes)
        self._settings = settings
        self._newest = newest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        version: Version | None = None
        try:
            version = negotiate(scope["headers"], self._newest)
            answer = await self._answer(scope, receive, version)
        except request_body.Disconnected:
            return
        except Refusal as refusal:
            answer = _refused(refusal, scope)
        except BessemerError as problem:
            answer = _problem(problem, scope)
        except Exception:
            log.exception("request failed", path=scope["path"])
            text = "An internal error happened; the log has it under this request id."
            answer = _failed(scope, 500, text, error.document(500, text))
        await _send(send, answer, answer_headers(version.minor, self._newest) if version else ())

    async def _answer(self, scope: Scope, receive: Receive, version: Version) -> Answer:
        path = scope["path"]
        body: bytes | None = None

        async def read(route: Route) -> bytes:
            nonlocal body
            if body is None:
                most = route.size_kib or self._settings.max_json_body_size
                body = await request_body.read(receive, most * 1024)
            return body

        try:
            return await self._serve(scope, path, version, read)
        except (NotFound, Refusal) as problem:
            is_missing = isinstance(problem, NotFound) or problem.status == 404
            if not (is_missing and path.endswith(_SUFFIX) and _drops_suffix(version)):
                raise
            return await self._serve(scope, path.removesuffix(_SUFFIX), version, read)

    async def _serve(
        self, scope: Scope, path: str, version: Version, read: Callable[[Route], Awaitable[bytes]]
    ) -> Answer:
        route, params = self.router.find(scope["method"], path, version)
        if route is None:
            return empty(200)
        scope["template"] = route.template
        caller = _caller(scope, route)
        describe(route.path, route.rule, params, caller)
        call = Call(
            method=route.method,
            path=path,
            version=version,
            caller=caller,
            base=self._base(scope),
            params=params,
            query=query.read(route.query, scope["query_string"], version.minor),
        )
        if route.body is not None:
            document = request_body.decode(await read(route), self._settings.max_json_body_depth)
            call.body = _checked(route, document, version)
        if "node" not in params or route.method == "GET":
            return await route.handler(call)
        with structlog.contextvars.bound_contextvars(node=params["node"]):
            return await route.handler(call)

    def _base(self, scope: Scope) -> str:
        """The address links start with: the configured one, else as the client addressed us."""
        configured = self._settings.public_endpoint
        if configured:
            return configured.rstrip("/")
        host = next((text for name, text in scope["headers"] if name == b"host"), b"")
        base = _base_of(scope.get("scheme", "http"), host) or self._own_base(scope)
        prefix: str = scope.get("state", {}).get("prefix", "")
        return base + prefix

    def _own_base(self, scope: Scope) -> str:
        host, port = scope.get("server") or (self._settings.host_ip, self._settings.port)
        return f"{scope.get('scheme', 'http')}://{host}:{port}"


@lru_cache(maxsize=256)
def _base_of(scheme: str, host: bytes) -> str:
    """Empty when the Host header is missing or is none."""
    text = host.decode("latin-1")
    return f"{scheme}://{text}" if _HOST.fullmatch(text) else ""


def _drops_suffix(version: Version) -> bool:
    return version.is_stated and not version.has(Behaviour.JSON_SUFFIX_IS_PART_OF_THE_NAME)


def _checked(route: Route, document: Any, version: Version) -> Any:
    if isinstance(route.body, PatchOf):
        return patch.parse(route.body.table, document, version.minor)
    if isinstance(route.body, Anything) or route.body is None:
        return document
    return value.check_body(route.body, document, version.minor)


def _caller(scope: Scope, route: Route) -> Caller:
    """Whoever asks, with the rule of what is asked; nobody when authentication was left out."""
    caller = scope.get("state", {}).get("caller")
    asking = caller if isinstance(caller, Caller) else _NOBODY
    return asking.asking(route.rule) if route.rule else asking.asking()


def _refused(refusal: Refusal, scope: Scope) -> Answer:
    document = error.document(
        refusal.status, refusal.text, is_routing=refusal.is_routing, is_bare=refusal.is_bare
    )
    return _failed(scope, refusal.status, refusal.text, document, refusal.headers)


def _problem(problem: BessemerError, scope: Scope) -> Answer:
    status = error.status_of(problem)
    if status >= 500:
        log.warning("request failed", code=problem.code, error=str(problem))
    text = str(problem)
    return _failed(scope, status, text, error.document(status, text), error.headers_of(status))


def _failed(scope: Scope, status: int, text: str, document: bytes, headers: error.Headers = ()) -> Answer:
    """An error: ``document``, or the mere ``text`` for clients that want no JSON."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    if error.wants_text(accept):
        return Answer(status, text.encode(), (_TEXT, *headers))
    return failed(status, document, headers)


async def _send(send: Send, answer: Answer, of_version: error.Headers) -> None:
    """``of_version`` is nothing where the version itself is refused: that brings its own headers."""
    length = len(answer.body) + sum(map(len, answer.rest))
    headers = [*answer.headers, (b"content-length", b"%d" % length), *of_version]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": bool(answer.rest)})
    for number, piece in enumerate(answer.rest, start=1):
        is_more = number < len(answer.rest)
        await send({"type": "http.response.body", "body": piece, "more_body": is_more})
