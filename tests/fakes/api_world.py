"""The whole API on a database, with fake hardware and with workflows that do nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bessemer.api.app import create_app, v1_routes
from bessemer.api.v1.route import Route
from bessemer.config.settings import Settings
from bessemer.domain.operation import Operation
from bessemer.engine.gateway import Gateway
from bessemer.engine.settings import EngineSettings
from bessemer.engine.workflow import OnInterrupt, Step, Workflow
from bessemer.hardware.catalogue import implementations
from bessemer.hardware.composition import Composition
from bessemer.hardware.driver import Implementations
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import Clock
from bessemer.kernel.ident import new_uuid
from bessemer.network.noop import NoopNetwork
from bessemer.service.services import Services
from bessemer.storage.noop import NoopStorage
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.node import get_node, update_node
from bessemer.store.operation import find_active, list_operations
from bessemer.workflow.machine_call import command, query
from fakes.api_client import ApiClient
from fakes.engine import running

KINDS = (
    "verify", "inspect", "clean", "deploy", "tear down", "power", "adopt", "rescue", "unrescue", "service",
    "service abort", "boot mode", "secure boot", "console", "vendor passthru",
)  # fmt: skip
HOST = "conductor-1"


async def _nothing(context: Any) -> None:
    return None


def toy_workflows() -> list[Workflow[Any]]:
    """One of each kind the API starts; nobody runs them."""
    step: Step[Any] = Step("do nothing", _nothing, OnInterrupt.IDEMPOTENT)
    return [Workflow(kind, steps=(step,)) for kind in KINDS]


def fake_composition(settings: Settings, clock: Clock) -> Composition:
    """Every interface there is, as enabled by the settings."""
    return composed(settings, BmcPool(settings.redfish), clock)


def composed(settings: Settings, pool: BmcPool, clock: Clock) -> Composition:
    """As ``fake_composition``, with a pool that its maker closes."""
    ours = implementations(settings, pool, clock)
    others = Implementations(network=(NoopNetwork(),), storage=(NoopStorage(),))
    return Composition(settings.default, ours.joined(others))


@dataclass
class World:
    """What a test of the API has in its hands."""

    database: Database
    services: Services
    settings: Settings
    composition: Composition
    gateway: Gateway
    app: Any
    client: ApiClient

    @property
    def routes(self) -> list[Route]:
        return v1_routes(self.services, self.settings)

    async def add_node(self, **values: Any) -> dict[str, Any]:
        """Enrol a node through the API; the document of the answer."""
        reply = await self.client.post("/v1/nodes", {"driver": "fake-hardware", **values})
        assert reply.status == 201, reply.body
        document: dict[str, Any] = reply.json
        return document

    async def add_port(self, node_uuid: str, address: str, **values: Any) -> dict[str, Any]:
        reply = await self.client.post("/v1/ports", {"node_uuid": node_uuid, "address": address, **values})
        assert reply.status == 201, reply.body
        document: dict[str, Any] = reply.json
        return document

    async def put_node(self, uuid: str, **changes: Any) -> None:
        """Bring a node into a state that only operations bring it into."""
        async with self.database.write() as tx:
            await update_node(tx, uuid, **changes)

    async def node(self, uuid: str) -> Any:
        async with self.database.read() as tx:
            return await get_node(tx, uuid)

    async def operations(self, uuid: str) -> list[Operation]:
        async with self.database.read() as tx:
            return list(await list_operations(tx, node_uuid=uuid))

    async def active(self, uuid: str) -> Operation | None:
        async with self.database.read() as tx:
            return await find_active(tx, uuid)


@dataclass(frozen=True)
class _Hands:
    """What machine calls work with."""

    database: Database
    composition: Composition


@asynccontextmanager
async def answering(world: World) -> AsyncIterator[None]:
    """While the block runs, calls to machines are answered; no other operation is carried out."""
    settings = EngineSettings(
        hostname=HOST, interfaces=tuple(world.composition.registrations()), graceful_stop_s=1.0
    )
    hands = _Hands(world.database, world.composition)
    async with running(world.database, [query(), command()], settings=settings, deps=hands):
        yield


async def make_world(
    database: Database,
    clock: Clock,
    *,
    settings: Settings | None = None,
    groups: Mapping[str, str] | None = None,
) -> World:
    """``groups`` are the live conductors: their groups by host name."""
    settings = settings or quick_settings()
    gateway = Gateway([*toy_workflows(), query(), command()])
    composition = fake_composition(settings, clock)
    services = Services.build(database, gateway, composition, settings, clock)
    async with database.write() as tx:
        for host, group in ({HOST: ""} if groups is None else groups).items():
            await register_conductor(tx, host, new_uuid(), group, composition.registrations())
    app = create_app(services, settings)
    return World(database, services, settings, composition, gateway, app, ApiClient(app))


def quick_settings(**sections: Mapping[str, Any]) -> Settings:
    """The defaults, without patience for locked nodes; ``sections`` change single options."""
    given: dict[str, dict[str, Any]] = {name: dict(options) for name, options in sections.items()}
    given.setdefault("conductor", {}).setdefault("node_locked_retry_attempts", 0)
    changed = {name: replace(getattr(Settings(), name), **options) for name, options in given.items()}
    return replace(Settings(), **changed)
