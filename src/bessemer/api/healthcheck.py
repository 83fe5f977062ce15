"""``GET /healthcheck``: whether this process can serve, for load balancers. Needs no authentication.

200 and ``OK``, or 503 and the reasons, a line each; as JSON for those who ask for it. ``?conductor`` asks in
addition whether any conductor is alive: without one requests are taken, and nothing comes of them.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bessemer.service.health import HealthService


def routes(health: HealthService) -> list[Route]:
    async def answer(request: Request) -> Response:
        reasons = await health.complaints(with_conductors="conductor" in request.query_params)
        status, headers = (503, {"retry-after": "5"}) if reasons else (200, {})
        lines = reasons or ["OK"]
        if "json" in request.headers.get("accept", ""):
            return Response(
                msgspec.json.encode({"reasons": lines}), status, headers, media_type="application/json"
            )
        return Response("\n".join(lines), status, headers, media_type="text/plain")

    return [Route("/healthcheck", answer, methods=["GET"])]
