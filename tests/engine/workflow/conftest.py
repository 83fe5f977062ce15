"""The real engine with the real workflows, on fake hardware with an agent that really answers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bessemer.boot.artefact import BootArtefacts
from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.operation import JournalEntry, NewOperation, Operation
from bessemer.domain.provision import Verb
from bessemer.engine.engine import Engine
from bessemer.engine.gateway import WORK, Gateway
from bessemer.engine.settings import EngineSettings
from bessemer.engine.workflow import Workflow
from bessemer.hardware.agent.client import AgentClient
from bessemer.kernel.clock import SystemClock, timestamp
from bessemer.service.caller import Caller
from bessemer.service.provision import ProvisionRequest
from bessemer.service.services import Services
from bessemer.store.conductor import register_conductor
from bessemer.store.database import Database
from bessemer.store.journal import list_entries
from bessemer.store.node import create_node, get_node, update_node
from bessemer.store.operation import change_operation, get_operation, list_operations
from bessemer.store.page import Page
from bessemer.store.vault import Vault
from bessemer.transfer.web import Web
from bessemer.workflow.catalogue import workflows
from bessemer.workflow.collaborators import Collaborators
from fakes.api_world import fake_composition, quick_settings
from fakes.engine import PATIENCE_S
from fakes.simulated_machine import SimulatedMachine, simulated_machine
from fixture_database import KEYS

NODE = "aaaaaaaa-0000-4000-8000-000000000001"
IMAGE = b"not much of an image" * 1000

Reshape = Callable[[Workflow[Any]], Workflow[Any]]


@dataclass
class Site:
    """A node, its machine, and the service around them."""

    database: Database
    services: Services
    gateway: Gateway
    settings: Settings
    machine: SimulatedMachine
    node_fields: dict[str, Any]

    async def node(self) -> Node:
        async with self.database.read() as tx:
            return await get_node(tx, NODE)

    async def ask(self, verb: str, **arguments: Any) -> Operation:
        """Ask for a verb; the operation that it started."""
        request = ProvisionRequest(verb=Verb(verb), arguments=arguments)
        await self.services.provision.request(Caller(user="test", is_trusted=True), NODE, request)
        return (await self.operations())[0]

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await update_node(tx, NODE, **changes)

    async def start(self, kind: str, /, **args: Any) -> Operation:
        """Start an operation that no verb starts."""
        async with self.database.write() as tx:
            return await self.gateway.enqueue(tx, NewOperation(node_uuid=NODE, kind=kind, args=args))

    async def reached(self, *states: str, timeout_s: float = PATIENCE_S) -> Node:
        """The node once it is in one of ``states`` and nothing works on it at the moment."""
        async with asyncio.timeout(timeout_s):
            while (node := await self.node()).provision_state not in states or node.reservation:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return node

    async def time_is_up(self, operation: Operation) -> None:
        """What the operation sleeps for should have come by now."""
        async with self.database.write() as tx:
            found = await get_operation(tx, operation.uuid)
            long_ago = timestamp(tx.clock, after_s=-86400.0)
            await change_operation(tx, found.uuid, found.fence, wake_at=tx.now(), waiting_since=long_ago)
            await tx.notify(WORK)

    async def operations(self) -> list[Operation]:
        """Newest first."""
        async with self.database.read() as tx:
            page = Page(limit=100, marker=None, sort_dir="desc")
            return list(await list_operations(tx, node_uuid=NODE, page=page))

    async def journal(self, operation: Operation) -> list[JournalEntry]:
        async with self.database.read() as tx:
            return list(await list_entries(tx, operation.uuid))

    async def settled(self, timeout_s: float = PATIENCE_S) -> Node:
        """The node once every operation on it is over."""
        async with asyncio.timeout(timeout_s):
            while not all(operation.state.is_over for operation in await self.operations()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return await self.node()


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Callable[..., Any]:
    """``async with site(reshape=..., conductor={...}) as s``: ``reshape`` may alter each workflow."""

    @asynccontextmanager
    async def make(
        reshape: Reshape = lambda workflow: workflow, *, node: dict[str, Any] | None = None, **sections: Any
    ) -> AsyncIterator[Site]:
        (tmp_path / "image.raw").write_bytes(IMAGE)
        (tmp_path / "agent.iso").write_bytes(b"\0" * 2048)
        conductor = {"file_url_allowed_paths": [str(tmp_path)]} | sections.pop("conductor", {})
        agent = {"poll_interval": 0.02} | sections.pop("agent", {})
        settings = quick_settings(conductor=conductor, agent=agent, **sections)
        async with AsyncExitStack() as stack:
            database = await Database.open(database_url, clock=SystemClock(), vault=Vault(KEYS))
            stack.push_async_callback(database.close)
            yield await _build(stack, database, settings, tmp_path, reshape, node or {})

    return make


async def _build(  # noqa: PLR0917
    stack: AsyncExitStack,
    database: Database,
    settings: Settings,
    directory: Path,
    reshape: Reshape,
    node: dict[str, Any],
) -> Site:
    clock = SystemClock()
    composition = fake_composition(settings, clock)
    gateway = Gateway()
    session = await stack.enter_async_context(aiohttp.ClientSession())
    web = Web(session)
    artefacts = BootArtefacts(
        settings, cache_directory=directory / "boot", web=web, api_url="http://127.0.0.1:1"
    )
    stack.push_async_callback(artefacts.close)
    collaborators = Collaborators(
        database=database,
        composition=composition,
        agents=AgentClient(session, settings.agent),
        artefacts=artefacts,
        web=web,
        settings=settings,
        base_url="http://127.0.0.1:1",
    )
    known = [reshape(workflow) for workflow in workflows(settings, "host-1", gateway)]
    engine_settings = EngineSettings(
        hostname="host-1",
        interfaces=tuple(composition.registrations()),
        poll_s=1.0,
        heartbeat_interval_s=1.0,
        lease_s=60.0,
    )
    engine = Engine(database, known, collaborators, engine_settings, clock, gateway=gateway)
    services = Services.build(database, gateway, composition, settings, clock)
    fields = await _enrol(database, composition, directory, node)
    machine = await stack.enter_async_context(
        simulated_machine(directory, database, services.agents, NODE, services.inspections)
    )
    stack.push_async_callback(_stop, asyncio.create_task(engine.run()))
    return Site(database, services, gateway, settings, machine, fields)


async def _enrol(
    database: Database, composition: Any, directory: Path, node: dict[str, Any]
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "driver": "fake-hardware",
        "name": "n1",
        "driver_info": {"deploy_iso": f"file://{directory}/agent.iso"},
        "instance_info": {
            "image_source": f"file://{directory}/image.raw",
            "image_os_hash_algo": "sha256",
            "image_os_hash_value": hashlib.sha256(IMAGE).hexdigest(),
        },
        **composition.fill_interfaces("fake-hardware", {"deploy_interface": "direct"}),
        **node,
    }
    async with database.write() as tx:
        await create_node(tx, Node(uuid=NODE, created_at=tx.now(), **fields))
        await register_conductor(tx, "host-0", "i", "", composition.registrations())
    return fields


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
