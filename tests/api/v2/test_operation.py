"""Operations and their journal, as clients see them."""

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest
import pytest_asyncio

from bessemer.api.app import create_app
from bessemer.api.v2.operation import routes
from bessemer.domain.operation import JournalEntry, JournalEvent, NewOperation
from bessemer.kernel.error import Unavailable
from bessemer.service.caller import Caller
from bessemer.service.lock import LockWait
from bessemer.service.node_access import NodeAccess
from bessemer.service.operation import OperationService
from bessemer.store.database import Database
from bessemer.store.journal import add_entry
from bessemer.store.page import Page
from fakes.api_client import ApiClient
from fakes.api_world import World, make_world
from fakes.clock import FakeClock


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def world(database: Database, clock: FakeClock) -> AsyncIterator[World]:
    made = await make_world(database, clock)
    operations = routes(made.services.operations, lambda request: request.state.caller)
    made.client = ApiClient(create_app(made.services, made.settings, operations))
    yield made


async def started(world: World) -> tuple[dict[str, Any], Any]:
    node = await world.add_node(name="n1")
    reply = await world.client.put("/v1/nodes/n1/states/provision", {"target": "manage"})
    assert reply.status == 202
    return node, (await world.operations(node["uuid"]))[0]


@pytest.mark.parametrize("ident", ["n1", "uuid"])
async def test_the_operations_of_a_node_are_listed_by_its_name_or_uuid(world: World, ident: str) -> None:
    node, operation = await started(world)
    path = f"/v2/nodes/{node['uuid'] if ident == 'uuid' else ident}/operations"
    listed = (await world.client.get(path)).json["operations"]
    assert [(o["uuid"], o["kind"], o["state"]) for o in listed] == [(operation.uuid, "verify", "queued")]
    assert listed[0]["plan"] == [{"step": "do nothing", "title": ""}]


async def test_an_operation_is_shown_with_its_journal_and_without_its_arguments(world: World) -> None:
    _, operation = await started(world)
    entry = JournalEntry(
        operation_uuid=operation.uuid,
        at="2026-11-23T12:00:00.000000+00:00",
        position=0,
        step="do nothing",
        title="",
        attempt=1,
        event=JournalEvent.DONE,
        duration_s=0.5,
        detail="done",
    )
    async with world.database.write() as tx:
        await add_entry(tx, entry)
    shown = (await world.client.get(f"/v2/operations/{operation.uuid}")).json
    assert "args" not in shown
    assert [(e["event"], e["step"], e["duration_s"]) for e in shown["journal"]] == [
        ("done", "do nothing", 0.5)
    ]


async def test_a_queued_operation_tells_its_place_and_what_comes_before_it_on_its_node(
    world: World,
) -> None:
    _, first = await started(world)
    second = await world.add_node(name="n2")
    await world.client.put("/v1/nodes/n2/states/provision", {"target": "manage"})
    [operation] = await world.operations(second["uuid"])
    async with world.database.write() as tx:
        behind = await world.gateway.enqueue(tx, NewOperation(node_uuid=first.node_uuid, kind="clean"))
    shown = {}
    for one in (first, operation, behind):
        document = (await world.client.get(f"/v2/operations/{one.uuid}")).json
        shown[one.uuid] = document["queue"]
    assert shown[first.uuid] == {"position": 1, "behind": None, "pool": None}
    assert shown[operation.uuid]["position"] > 1
    assert shown[behind.uuid]["behind"] == first.uuid
    async with world.database.write() as tx:
        await world.gateway.cancel(tx, first.uuid, "not needed")
    document = (await world.client.get(f"/v2/operations/{first.uuid}")).json
    assert (document["queue"], document["priority"]) == (None, "normal")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/nodes/nobody/operations", 404, "not-found"),
        ("/v2/operations/00000000-0000-4000-8000-000000000000", 404, "not-found"),
        ("/v2/nodes/n1/operations?limit=0", 400, "invalid-value"),
        ("/v2/nodes/n1/operations?limit=many", 400, "invalid-value"),
        (f"/v2/nodes/n1/operations?limit={'9' * 5000}", 400, "invalid-value"),
    ],
)
async def test_what_cannot_be_shown_is_refused_with_a_code(
    world: World, path: str, status: int, code: str
) -> None:
    await world.add_node(name="n1")
    reply = await world.client.get(path)
    assert reply.status == status
    assert reply.json["error"]["code"] == code


async def test_without_a_database_clients_are_told_to_come_back(world: World) -> None:
    class Gone(OperationService):
        async def list_of_node(self, caller: Caller, ident: str, page: Page) -> NoReturn:
            raise Unavailable("The database does not answer.")

    gone = Gone(NodeAccess(world.database, LockWait(world.settings.conductor)))
    extra = routes(gone, lambda request: request.state.caller)
    reply = await ApiClient(create_app(world.services, world.settings, extra)).get("/v2/nodes/n1/operations")
    assert (reply.status, reply.json["error"]["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) > 0
