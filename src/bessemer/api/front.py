"""Which API a request is for: the calls beside v1 by their routes, everything else is v1's.

Below ``/v2/`` nothing is v1's: what is not there is refused in the form of v2.
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front:
    """Not Starlette's router: that redirects to the address in the Host header, and answers in plain text.

    Notes the path of the route in ``scope["template"]``, for figures. (V1 does so too.)
    """

    def __init__(self, routes: Sequence[BaseRoute], v1: App) -> None:
        self._routes = tuple(routes)
        self._v1 = v1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_path = False
        # No name holds NUL, nor does any column of PostgreSQL: such a path is nowhere.
        for route in () if "\x00" in scope["path"] else self._routes:
            match, more = route.matches(scope)
            if match is Match.FULL:
                scope.update(more)
                scope["template"] = getattr(route, "path", "")
                await route.handle(scope, receive, send)
                return
            has_path = has_path or match is Match.PARTIAL
        if scope["path"].startswith("/v2/"):
            await _refuse(405 if has_path else 404)(scope, receive, send)
        else:
            await self._v1(scope, receive, send)


def _refuse(status: int) -> Response:
    code, message = {
        404: ("not-found", "There is nothing at this address."),
        405: ("not-allowed", "This method is not allowed here."),
    }[status]
    described = {"code": code, "fault": "user", "message": message, "hint": ""}
    return Response(msgspec.json.encode({"error": described}), status, media_type="application/json")
