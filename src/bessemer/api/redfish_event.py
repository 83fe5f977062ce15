"""``POST /redfish/events/<token>``: where BMCs bring their events. The token is the permission.

Whatever does not fit is a plain 404. What is brought is taken off the line and not looked at.
Source: DMTF DSP0266, "Eventing".
"""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bessemer.api.authentication.http_basic.throttle import Throttle
from bessemer.kernel.error import Unavailable
from bessemer.kernel.metric import MACHINE_EVENTS
from bessemer.service.machine_event import MachineEvents

#: Largest body, and what it may take to come.
MOST_BYTES = 256 * 1024
_BODY_S = 10.0


def routes(events: MachineEvents, throttle: Throttle | None = None) -> list[Route]:
    """To be mounted at the root of the API. ``throttle`` slows down addresses that try tokens."""
    tries = throttle or Throttle()

    async def take(request: Request) -> Response:
        try:
            node_uuid = events.find_node(request.path_params["token"])
        except Unavailable:
            return Response(status_code=503)
        if node_uuid is None:
            MACHINE_EVENTS.labels("refused").inc()
            return _refuse(tries, request.client.host if request.client else "")
        if not await _read_away(request):
            MACHINE_EVENTS.labels("refused").inc()
            return Response(status_code=413)
        is_new = events.note(node_uuid)
        MACHINE_EVENTS.labels("taken" if is_new else "gathered").inc()
        return Response(status_code=204)

    return [Route("/redfish/events/{token}", take, methods=["POST"])]


def _refuse(tries: Throttle, address: str) -> Response:
    wait_s = tries.wait_s(address)
    if wait_s > 0:
        return Response(status_code=429, headers={"retry-after": str(int(wait_s) + 1)})
    tries.count(address)
    return Response("Not found\n", status_code=404, media_type="text/plain")


async def _read_away(request: Request) -> bool:
    """Take the body off the line; False when it is too long or too slow."""
    size = 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                size += len(piece)
                if size > MOST_BYTES:
                    return False
    except (TimeoutError, ClientDisconnect):
        return False
    return True
