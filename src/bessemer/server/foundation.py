"""What every process of the service has: the database, the hardware types, the boot artefacts."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from sqlalchemy import URL, make_url

from bessemer.boot.artefact import BootArtefacts
from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings
from bessemer.domain.limit import weights
from bessemer.domain.release import read_release
from bessemer.engine.gateway import Gateway
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import Clock, SteadyClock, SystemClock
from bessemer.network.noop import NoopNetwork
from bessemer.server.certificate import own_url
from bessemer.server.trace import traces
from bessemer.storage.noop import NoopStorage
from bessemer.store.database import Database
from bessemer.store.key import unlock
from bessemer.store.shared_clock import set_clock
from bessemer.transfer.acting import ActingRequest
from bessemer.transfer.tls import TlsRules, client_context, read_verify
from bessemer.transfer.web import Web

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Foundation:
    """``pool`` gives out connections to BMCs; none is opened before somebody asks for it. ``gateway`` knows
    no workflows yet. ``base_url`` is our API as machines reach it when no setting names another address."""

    settings: Settings
    clock: Clock
    database: Database
    pool: BmcPool
    composition: Composition
    gateway: Gateway
    web: Web
    artefacts: BootArtefacts
    base_url: str

    @property
    def events_url(self) -> str:
        """Our API as BMCs reach it to bring events."""
        deploy = self.settings.deploy
        return (
            self.settings.redfish.event_callback_url
            or deploy.external_http_url  # where BMCs fetch what they boot
            or deploy.external_callback_url
            or self.base_url
        )


@asynccontextmanager
async def open_foundation(settings: Settings) -> AsyncIterator[Foundation]:
    """Everything opened, and closed at the end.

    Raises:
        BadSettings: The enabled interfaces do not fit together.
        BadKeyFile: The key file is not the one that the database is sealed with.
        Unavailable: The database cannot be used.
    """
    state = Path(settings.default.state_path)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  once, at start
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traces(settings))  # ends last: so that nothing is left out
        connection = settings.database.connection
        # One machine has one clock; several have that of their database.
        clock: Clock = SystemClock() if connection.startswith("sqlite") else SteadyClock()
        pool = BmcPool(settings.redfish)
        stack.push_async_callback(pool.close)
        noop = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
        composition = Composition(settings.default, implementations(settings, pool, clock).joined(noop))
        database = await Database.open(connection, pool_size=settings.database.max_pool_size, clock=clock)
        stack.push_async_callback(database.close)
        await unlock(database, Path(settings.database.key_file))
        await set_clock(database)
        web = Web(await stack.enter_async_context(session()), tls=_image_tls(settings))
        base_url = own_url(settings.api)
        artefacts = BootArtefacts(
            settings,
            cache_directory=state / "boot",
            web=web,
            api_url=settings.deploy.external_callback_url or base_url,
        )
        stack.push_async_callback(artefacts.close)
        log.info("starting", host=settings.default.host, database=shown(connection))
        yield Foundation(
            settings=settings,
            clock=clock,
            database=database,
            pool=pool,
            composition=composition,
            gateway=Gateway(
                weights=_weights(settings), pinned=read_release(settings.default.pin_release_version)
            ),
            web=web,
            artefacts=artefacts,
            base_url=base_url,
        )


def _weights(settings: Settings) -> dict[str, float]:
    try:
        return weights(settings.conductor.project_weights)
    except ValueError as error:
        raise BadSettings(f"[conductor]project_weights cannot be used: {error}.") from error


def session() -> aiohttp.ClientSession:
    """Bounded by what uses it, not by aiohttp's hundred connections: a rack deploys at once."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), request_class=ActingRequest)


def shown(connection: str) -> str:
    """The database without user and password, which may stand in its query too."""
    url = make_url(connection)
    return str(URL.create(url.drivername, host=url.host, port=url.port, database=url.database))


def _image_tls(settings: Settings) -> ssl.SSLContext:
    name = "[DEFAULT]webserver_verify_ca"
    return client_context(TlsRules(read_verify(settings.default.webserver_verify_ca, name)), name)
