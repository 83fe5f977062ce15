"""Events hasten looks: at once when one comes, seldom when a machine shouts, and never not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bessemer.api.access import Access
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.api.authentication.public import is_public
from bessemer.api.redfish_event import routes
from bessemer.domain.node import Node
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import DatabaseLost
from bessemer.service.machine_event import LONGEST_PAUSE_S, MachineEvents
from bessemer.store.database import Database
from bessemer.store.duty import HEALTH, POWER, Outcome, claim_node_duties, finish_node_duties
from bessemer.store.event_subscription import add_subscription, find_subscription
from bessemer.store.event_token import event_token
from fakes.api_client import ApiClient
from fakes.clock import FakeClock
from fakes.store import add_nodes


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def looked_at(database: Database, clock: FakeClock) -> None:
    """Every duty is done: none is due for an hour."""
    async with database.write() as tx:
        for duty in (POWER, HEALTH):
            later = timestamp(clock, after_s=3600)
            claimed = await claim_node_duties(tx, duty, "", limit=99, claimed_until=later)
            await finish_node_duties(tx, duty, [Outcome(one, later) for one in claimed])


async def due(database: Database, duty: str = POWER) -> set[str]:
    async with database.write() as tx:
        later = timestamp(tx.clock, after_s=3600)
        return {one.node_uuid for one in await claim_node_duties(tx, duty, "", limit=99, claimed_until=later)}


@pytest.fixture
async def nodes(database: Database, clock: FakeClock) -> list[Node]:
    made = await add_nodes(database, {}, {})
    await looked_at(database, clock)
    clock.advance(1)
    return made


async def test_an_event_hastens_the_looks_at_its_machine_and_shows_that_events_arrive(
    database: Database, nodes: list[Node]
) -> None:
    async with database.write() as tx:
        await add_subscription(tx, node_uuid=nodes[0].uuid, group="", access={}, path="/1", context="x")
    events = MachineEvents(database)
    assert events.note(nodes[0].uuid)
    assert not events.note(nodes[0].uuid), "one look is on its way"
    assert await events.hasten() == 1
    assert await due(database) == {nodes[0].uuid}
    assert await due(database, HEALTH) == {nodes[0].uuid}
    async with database.read() as tx:
        known = await find_subscription(tx, nodes[0].uuid)
    assert known is not None
    assert known.heard_at is not None


async def test_who_shouts_is_looked_at_less_and_less_often_and_once_more_in_the_end(
    database: Database, nodes: list[Node]
) -> None:
    time = Time()
    events = MachineEvents(database, monotonic=time)
    looks = []
    for _ in range(6000):  # ten events a second, for ten minutes
        events.note(nodes[0].uuid)
        if events.is_due and await events.hasten():
            looks.append(time.now)
        time.now += 0.1
    pauses = [round(after - before) for before, after in pairwise(looks)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(pauses[7:]) == {60}
    events.note(nodes[0].uuid)
    time.now += LONGEST_PAUSE_S
    assert await events.hasten() == 1
    time.now += 400
    events.note(nodes[0].uuid)
    assert await events.hasten() == 1
    events.note(nodes[0].uuid)
    time.now += 1.1
    assert await events.hasten() == 1, "after a quiet time it starts afresh"


async def test_others_do_not_wait_for_one_who_shouts(database: Database, nodes: list[Node]) -> None:
    time = Time()
    events = MachineEvents(database, monotonic=time)
    for _ in range(5):
        events.note(nodes[0].uuid)
        await events.hasten()
    await due(database)
    events.note(nodes[1].uuid)
    await events.hasten()
    assert await due(database) == {nodes[1].uuid}


@contextmanager
def away(database: Database, when_asked: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Writes fail meanwhile."""

    @asynccontextmanager
    async def lost() -> AsyncIterator[None]:
        when_asked()
        raise DatabaseLost("it is away")
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "write", lost)
        yield


async def test_events_wait_for_a_database_that_is_away(database: Database, nodes: list[Node]) -> None:
    time = Time()
    events = MachineEvents(database, monotonic=time)
    events.note(nodes[0].uuid)
    with away(database):
        assert await events.hasten() == 0
    time.now += 5
    assert await events.hasten() == 1
    assert await due(database) == {nodes[0].uuid}


async def test_one_that_comes_while_the_database_goes_away_is_looked_at_once(
    database: Database, nodes: list[Node]
) -> None:
    time = Time()
    events = MachineEvents(database, monotonic=time)
    events.note(nodes[0].uuid)
    noted: list[bool] = []
    with away(database, lambda: noted.append(events.note(nodes[0].uuid))):
        assert await events.hasten() == 0
    assert noted == [True]
    time.now += 5
    assert await events.hasten() == 1


async def test_looks_that_wait_for_their_pause_are_written_in_the_end(
    database: Database, nodes: list[Node]
) -> None:
    events = MachineEvents(database, monotonic=Time())
    events.note(nodes[0].uuid)
    await events.hasten()
    await looked_at(database, database.clock)  # type: ignore[arg-type]
    events.note(nodes[0].uuid)
    assert await events.hasten() == 0, "too soon"
    database.clock.advance(1)  # type: ignore[attr-defined]
    await events.finish()
    assert await due(database) == {nodes[0].uuid}


async def test_events_are_written_in_the_background(database: Database, nodes: list[Node]) -> None:
    events = MachineEvents(database)
    running = asyncio.create_task(events.run())
    events.note(nodes[1].uuid)
    found: set[str] = set()
    async with asyncio.timeout(60):
        while not found:
            await asyncio.sleep(0.01)
            found = await due(database)
    assert found == {nodes[1].uuid}
    running.cancel()
    await asyncio.wait((running,))


async def test_a_token_is_the_permission_and_a_wrong_one_does_nothing(
    database: Database, nodes: list[Node]
) -> None:
    events = MachineEvents(database)
    client = ApiClient(Starlette(routes=list(routes(events))))
    token = event_token(database.vault, nodes[0].uuid)
    assert (await client.post(f"/redfish/events/{token}", {"Events": []})).status == 204
    assert await events.hasten() == 1
    for wrong in (token[:-1], token[::-1], "x", nodes[0].uuid):
        assert (await client.post(f"/redfish/events/{wrong}", {"Events": []})).status == 404
    assert (await client.get(f"/redfish/events/{token}")).status == 405
    assert await events.hasten() == 0


def test_bringing_events_needs_no_credentials_and_nothing_beside_it_does() -> None:
    assert is_public("/redfish/events/abc_-9")
    for path in (
        "/redfish/events/",
        "/redfish/events",
        "/redfish/events/a/b",
        "/redfish/v1",
        "/v1/redfish/events/a",
    ):
        assert not is_public(path)


async def test_a_token_is_in_no_log(database: Database, nodes: list[Node]) -> None:
    token = event_token(database.vault, nodes[0].uuid)
    app = Access(Starlette(routes=list(routes(MachineEvents(database)))), NoAuthentication())
    with capture_logs() as lines:
        assert (await ApiClient(app).post(f"/redfish/events/{token}", {})).status == 204
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/redfish/events/***"]
    assert token not in str(lines)
