"""``GET /metrics``, at ``[metrics]host_ip`` and a port for each process."""

import asyncio
import socket

import uvicorn
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bessemer.api.access import App, Receive, Scope, Send
from bessemer.config.settings import MetricsSettings
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.metric import REGISTRY
from bessemer.server.api import Server
from bessemer.server.bounded_http import BoundedHttp
from bessemer.server.metric.bmc import BmcCensus
from bessemer.server.metric.census import Census
from bessemer.server.metric.lag import watch_lag
from bessemer.store.database import Database

_STOP_S = 2


def metrics_app(database: Database, pool: BmcPool) -> App:
    """Answers ``GET /metrics`` in the form that is asked for: Prometheus's text, or OpenMetrics."""
    registry = CollectorRegistry()
    census = Census(database)
    registry.register(REGISTRY)
    registry.register(census)
    registry.register(BmcCensus(pool))
    ProcessCollector(registry=registry)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        answer: Response
        if request.url.path != "/metrics":
            answer = PlainTextResponse("Metrics are at /metrics.\n", 404)
        elif request.method not in ("GET", "HEAD"):
            answer = PlainTextResponse("GET only.\n", 405, {"allow": "GET, HEAD"})
        else:
            await census.refresh()
            encode, content_type = choose_encoder(request.headers.get("accept", ""))
            answer = Response(encode(registry), headers={"content-type": content_type})
        await answer(scope, receive, send)

    return app


async def show_metrics(database: Database, pool: BmcPool, listener: socket.socket) -> None:
    """Answer until cancelled, and watch the event loop."""
    with listener:
        config = uvicorn.Config(
            metrics_app(database, pool),
            http=BoundedHttp,
            log_config=None,
            lifespan="off",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_S,
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve([listener]), name="answer Prometheus")
        watching = asyncio.create_task(watch_lag(), name="event loop lag")
        try:
            await asyncio.wait((serving,))
        finally:
            watching.cancel()
            server.should_exit = True
            await serving


def listen_for_metrics(settings: MetricsSettings, port: int) -> socket.socket:
    """The socket that Prometheus comes in by.

    Raises:
        OSError: The address cannot be listened on.
    """
    host = settings.host_ip
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        text = f"[metrics] cannot be served at {host} port {port}: {error.strerror}"
        raise OSError(error.errno, text) from error
