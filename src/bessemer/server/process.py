"""One process with everything in it: API and conductor over one database."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
import uvicorn
from starlette.requests import Request
from starlette.routing import BaseRoute

from bessemer.api.access import App
from bessemer.api.app import create_app
from bessemer.api.authentication.strategy import open_authentication
from bessemer.api.boot.route import routes as boot_routes
from bessemer.api.v2.operation import routes as operation_routes
from bessemer.boot.artefact import BootArtefacts
from bessemer.config.settings import Settings
from bessemer.domain.conductor import ConductorInterface
from bessemer.engine.engine import Engine
from bessemer.engine.gateway import Gateway
from bessemer.engine.settings import EngineSettings
from bessemer.hardware.agent.client import AgentClient
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.image.relay import ImageRelay
from bessemer.kernel.clock import SystemClock
from bessemer.network.noop import NoopNetwork
from bessemer.server.certificate import ServerCertificate, find_certificate, own_url
from bessemer.service.allocator import Allocator
from bessemer.service.caller import Caller
from bessemer.service.operation import OperationService
from bessemer.service.services import Services
from bessemer.storage.noop import NoopStorage
from bessemer.store.database import Database
from bessemer.transfer.tls import TlsRules, client_context, read_verify
from bessemer.transfer.web import Web
from bessemer.workflow.catalogue import workflows
from bessemer.workflow.collaborators import Collaborators

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """What runs: the application that answers, the engine that works, the keeper of BMC connections,
    and what gives nodes to allocations.

    ``services`` are what the application is a door to, ``routes`` the calls it has beside those of v1.
    """

    app: App
    services: Services
    routes: Sequence[BaseRoute]
    engine: Engine
    pool: BmcPool
    allocator: Allocator


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let running steps end, and release the rest for another process.

    Raises:
        BadSettings: The enabled interfaces do not fit together.
        Unavailable: The database cannot be used.
        OSError: The address cannot be listened on.
    """
    certificate = find_certificate(settings.api)
    async with assembled(settings) as process:
        _settle_memory()
        config = uvicorn.Config(
            process.app,
            host=settings.api.host_ip,
            port=settings.api.port,
            log_config=None,
            lifespan="off",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
            proxy_headers=settings.oslo_middleware.enable_proxy_headers_parsing,
            ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
        )
        await _run_together(process, uvicorn.Server(config), certificate)


def _settle_memory() -> None:
    """Leave what was built at the start out of garbage collection: long lists are a fifth cheaper for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


async def _run_together(
    process: Process, server: uvicorn.Server, certificate: ServerCertificate | None
) -> None:
    """The conductor and the API live and end together: without one the other is of no use."""
    work = [
        asyncio.create_task(process.engine.run(), name="engine"),
        asyncio.create_task(process.pool.run(), name="BMC connections"),
        asyncio.create_task(process.allocator.run(), name="allocations"),
    ]
    if certificate is not None:
        work.append(asyncio.create_task(certificate.run(), name="API certificate"))
    answering = asyncio.create_task(server.serve(), name="API")
    try:
        done, _ = await asyncio.wait([*work, answering], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        server.should_exit = True
        for task in work:
            task.cancel()
        await asyncio.gather(answering, *work, return_exceptions=True)


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[Process]:
    """Everything built and opened, and closed at the end. The one place where parts are put together."""
    clock = SystemClock()
    state = Path(settings.default.state_path)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  once, at start
    async with AsyncExitStack() as stack:
        pool = BmcPool(settings.redfish)
        stack.push_async_callback(pool.close)
        noop = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
        composition = Composition(settings.default, implementations(settings, pool, clock).joined(noop))

        database = await Database.open(
            settings.database.connection, pool_size=settings.database.max_pool_size, clock=clock
        )
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(_session())
        web = Web(
            await stack.enter_async_context(_session()), tls=_image_tls(settings.default.webserver_verify_ca)
        )
        base_url = own_url(settings.api)
        artefacts = BootArtefacts(
            settings,
            cache_directory=state / "boot",
            web=web,
            api_url=settings.deploy.external_callback_url or base_url,
        )
        stack.push_async_callback(artefacts.close)

        gateway = Gateway()
        collaborators = Collaborators(
            database=database,
            composition=composition,
            agents=AgentClient(session, settings.agent),
            artefacts=artefacts,
            web=web,
            settings=settings,
            base_url=base_url,
        )
        engine = Engine(
            database,
            workflows(settings, settings.default.host, gateway),
            collaborators,
            _engine_settings(settings, composition),
            clock,
            gateway=gateway,
        )
        services = Services.build(database, gateway, composition, settings, clock)
        authentication = open_authentication(settings)
        stack.push_async_callback(authentication.close)
        extra = [
            *boot_routes(artefacts, ImageRelay(settings, web), database),
            *operation_routes(OperationService(database), _caller),
        ]
        log.info("starting", host=settings.default.host, database=_shown(settings.database.connection))
        yield Process(
            app=create_app(services, settings, extra, authentication),
            services=services,
            routes=extra,
            engine=engine,
            pool=pool,
            allocator=services.allocator,
        )


def _engine_settings(settings: Settings, composition: Composition) -> EngineSettings:
    conductor = settings.conductor
    offered = tuple(
        ConductorInterface(
            hardware_type=one.hardware_type,
            interface_type=one.interface_type,
            interface_name=one.interface_name,
            is_default=one.is_default,
        )
        for one in composition.registrations()
    )
    return EngineSettings(
        hostname=settings.default.host,
        conductor_group=conductor.conductor_group,
        interfaces=offered,
        workers=conductor.workers_pool_size,
        heartbeat_interval_s=min(conductor.heartbeat_interval, conductor.lease_time / 4),
        lease_s=conductor.lease_time,
        graceful_stop_s=conductor.graceful_shutdown_timeout,
    )


def _image_tls(verify_ca: str) -> ssl.SSLContext:
    name = "[DEFAULT]webserver_verify_ca"
    return client_context(TlsRules(read_verify(verify_ca, name)), name)


def _session() -> aiohttp.ClientSession:
    """Bounded by what uses it, not by aiohttp's hundred connections: a rack deploys at once."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _shown(connection: str) -> str:
    """The database without its password."""
    scheme, _, rest = connection.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
