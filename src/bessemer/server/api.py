"""The API: the part of a process that answers requests. It opens no BMC and runs no operation."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.requests import Request
from starlette.routing import BaseRoute

from bessemer.api.access import App
from bessemer.api.app import create_app
from bessemer.api.authentication.strategy import open_authentication
from bessemer.api.boot.route import routes as boot_routes
from bessemer.api.redfish_event import routes as event_routes
from bessemer.api.v2.operation import routes as operation_routes
from bessemer.config.settings import ApiSettings, Settings
from bessemer.image.relay import ImageRelay
from bessemer.policy.policy import Policy
from bessemer.server.bounded_http import BoundedHttp
from bessemer.server.certificate import find_certificate
from bessemer.server.foundation import Foundation
from bessemer.server.reload import Reload
from bessemer.service.audit import AuditTrail
from bessemer.service.caller import Caller
from bessemer.service.machine_event import MachineEvents
from bessemer.service.services import Services

#: Connections that may wait to be accepted.
_BACKLOG = 2048
#: What open requests are given to end when the process stops, in seconds.
_STOP_S = 10
#: Longer than clients wait between two looks: who asks again just as a connection is closed gets an error.
_KEEP_ALIVE_S = 75


@dataclass(frozen=True, slots=True)
class Api:
    """``services`` are what the application is a door to, ``routes`` the calls it has beside those of v1."""

    app: App
    services: Services
    routes: Sequence[BaseRoute]
    audit: AuditTrail
    policy: Policy

    def follow(self, reload: Reload) -> None:
        """Let the policy be read again at SIGHUP. Accounts, certificate and keys are files that are looked at
        every few seconds anyway."""
        reload.add(
            self.policy.take,
            "oslo_policy.",
            "DEFAULT.rbac_service_role_elevated_access",
            "DEFAULT.rbac_service_project_name",
        )


class Server(uvicorn.Server):
    """Ends when it is told to. Signals are the whole process's matter, not the web server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def open_api(foundation: Foundation) -> AsyncIterator[Api]:
    """The application. ``foundation.gateway`` must know the workflows before it answers.

    Raises:
        BadSettings: The authentication cannot work as it is set.
        BadPolicy: The policy files cannot be used as they are.
    """
    settings, database = foundation.settings, foundation.database
    async with AsyncExitStack() as stack:
        services = Services.build(
            database, foundation.gateway, foundation.composition, settings, foundation.clock
        )
        policy = Policy.of(settings)
        watching = asyncio.create_task(policy.run(), name="policy files")
        stack.callback(watching.cancel)
        authentication = open_authentication(settings)
        stack.push_async_callback(authentication.close)
        routes = [
            *boot_routes(foundation.artefacts, ImageRelay(settings, foundation.web), database),
            *operation_routes(services.operations, _caller),
        ]
        if settings.redfish.event_subscriptions:
            events = MachineEvents(database)
            await stack.enter_async_context(_hastening(events))
            routes += event_routes(events)
        audit = AuditTrail(database)
        app = create_app(services, settings, routes, authentication, policy, audit=audit)
        yield Api(app=app, services=services, routes=routes, audit=audit, policy=policy)


@asynccontextmanager
async def _hastening(events: MachineEvents) -> AsyncIterator[None]:
    """Looks at machines are hastened; in the end all that were asked for, whatever their pause."""
    running = asyncio.create_task(events.run(), name="hasten looks at machines")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait((running,))
        await events.finish()


def listen(settings: ApiSettings) -> socket.socket:
    """The socket that requests come in by; processes may share it.

    Raises:
        OSError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in settings.host_ip else socket.AF_INET
    return socket.create_server((settings.host_ip, settings.port), family=family, backlog=_BACKLOG)


async def answer(app: App, settings: Settings, listener: socket.socket) -> None:
    """Answer requests until cancelled; open ones are given a few seconds to end.

    Raises:
        BadSettings: The certificate cannot be used.
    """
    certificate = find_certificate(settings.api)
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        log_config=None,
        lifespan="off",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        proxy_headers=False,  # see bessemer.api.proxy
        ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve([listener]), name="answer requests")
    renewing = asyncio.create_task(certificate.run(), name="API certificate") if certificate else None
    try:
        await asyncio.wait((serving,))
    finally:
        server.should_exit = True
        if renewing is not None:
            renewing.cancel()
        await serving


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
