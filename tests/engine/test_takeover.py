"""Conductors that die, hang, lose the database or their clock: who carries their operations on, and when."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bessemer.config.settings import ConductorSettings
from bessemer.domain.operation import Operation, OperationState
from bessemer.engine.settings import EngineSettings
from bessemer.kernel.clock import SystemClock
from bessemer.store.claim import MOST_DEATHS, claim_operations
from bessemer.store.conductor import get_conductor, register_conductor
from bessemer.store.database import Database
from bessemer.store.node import get_node
from bessemer.store.operation import change_operation
from engine.test_kill import KILLED, Cradle, ask, cradle, end_of
from fakes.engine import (
    BRIEF,
    PATIENCE_S,
    SETTINGS,
    Blocked,
    Record,
    enqueue,
    eventually,
    look,
    running,
)
from fakes.tcp_proxy import tcp_proxy
from fixture_database import PostgresqlServer

__all__ = ["cradle"]

#: What was promised: another conductor has the work within so many seconds.
TAKEOVER_S = 15.0

HEIR = replace(SETTINGS, hostname="heir", poll_s=60.0)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def as_shipped(hostname: str) -> EngineSettings:
    """The times that a service has without any setting."""
    ours = ConductorSettings()
    interval_s = min(ours.heartbeat_interval, ours.lease_time / 4)
    return EngineSettings(hostname=hostname, heartbeat_interval_s=interval_s, lease_s=ours.lease_time)


def effects(world: Path) -> str:
    return world.read_text() if world.exists() else ""


async def has_begun(world: Path) -> None:
    async def is_there() -> bool:
        return "run slow" in effects(world)

    await eventually(is_there)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP])
async def test_with_shipped_settings_a_lost_conductors_work_is_a_peers_within_fifteen_seconds(
    database: Database, cradle: Cradle, tmp_path: Path, ending: signal.Signals
) -> None:
    if not database.is_postgresql:
        pytest.skip("measured where several hosts meet; the code is the same")
    world, record = tmp_path / "world", Record()
    operation = await ask(database, "hanging")
    settings = as_shipped("child")
    shipped = {"heartbeat_interval_s": settings.heartbeat_interval_s, "lease_s": settings.lease_s}
    child = await cradle.begin(operation, world, settings=shipped)
    await has_begun(world)
    heir = record.workflow(record.step("slow"), kind="hanging")
    loop = asyncio.get_running_loop()
    async with running(database, [heir], settings=as_shipped("heir")) as engine:
        os.kill(child, ending)
        lost_at = loop.time()
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        took_s = loop.time() - lost_at
    if ending is signal.SIGSTOP:
        os.kill(child, signal.SIGKILL)
    assert await cradle.ended() == KILLED
    assert done.state is OperationState.SUCCEEDED
    assert 5 < took_s < TAKEOVER_S


@pytest.mark.parametrize("trouble", ["cut", "hang"])
async def test_a_conductor_that_lost_the_database_lets_go_by_itself_and_a_peer_goes_on(
    database: Database, database_url: str, postgresql: PostgresqlServer, trouble: str
) -> None:
    if not database.is_postgresql:
        pytest.skip("there is no way to an SQLite file that could be interrupted")
    held, record = Blocked(), Record()
    async with tcp_proxy(postgresql.port) as proxy:
        through = database_url.replace(f":{postgresql.port}/", f":{proxy.port}/")
        far = await Database.open(through, clock=SystemClock())
        async with running(far, [record.workflow(record.step("a", held))], settings=BRIEF) as loser:
            operation = await enqueue(loser, far)
            await asyncio.wait_for(held.began.wait(), PATIENCE_S)
            getattr(proxy, trouble)()
            async with running(database, [record.workflow(record.step("a"))], settings=HEIR) as engine:
                done = await engine.wait_finished(operation.uuid, PATIENCE_S)
            await asyncio.wait_for(held.over.wait(), PATIENCE_S)
            proxy.mend()
        await far.close()
    assert (done.state, done.fence) == (OperationState.SUCCEEDED, 2)
    assert held.outcome is asyncio.CancelledError
    async with database.read() as tx:
        assert (await get_node(tx, operation.node_uuid)).description is None


class MovedClock(SystemClock):
    """A host's clock that somebody moves."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


@pytest.mark.parametrize("hours", [-10, 10])
async def test_who_owns_what_does_not_depend_on_the_hosts_clock(
    database: Database, database_url: str, hours: int
) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite has the one clock of its machine")
    held, record, moved = Blocked(), Record(), MovedClock()
    far = await Database.open(database_url, clock=moved)
    async with running(far, [record.workflow(record.step("a", held))], settings=BRIEF) as owner:
        operation = await enqueue(owner, far)
        await asyncio.wait_for(held.began.wait(), PATIENCE_S)
        moved.off = timedelta(hours=hours)
        async with running(database, [record.workflow(record.step("a"))], settings=HEIR):
            before = await signs(database)

            async def has_signed_often() -> bool:
                return await signs(database) > before + timedelta(seconds=1.5 * BRIEF.lease_s)

            await eventually(has_signed_often)
            held.go_on.set()
            done = await owner.wait_finished(operation.uuid, PATIENCE_S)
    await far.close()
    assert (done.state, done.fence, held.outcome) == (OperationState.SUCCEEDED, 1, None)


async def signs(database: Database) -> datetime:
    """When the owner last gave a sign of life."""
    async with database.read() as tx:
        return datetime.fromisoformat((await get_conductor(tx, SETTINGS.hostname)).updated_at)


async def test_a_step_that_kills_its_process_again_and_again_is_given_up(
    database: Database, cradle: Cradle, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    operation = await ask(database, "deadly")
    lives = 0
    while await cradle.live(operation, world) == KILLED:
        lives += 1
        assert lives <= MOST_DEATHS
    end = await end_of(database, operation, world)
    assert lives == MOST_DEATHS
    assert end.effects["run deadly"] == MOST_DEATHS
    assert end.operation.state is OperationState.FAILED
    assert end.operation.error is not None
    assert (end.operation.error.code, end.operation.error.step) == ("crash-loop", "deadly")
    assert f"{MOST_DEATHS} processes" in end.operation.error.message
    assert end.effects["undo a"] == 1


@asynccontextmanager
async def abandoned(database: Database, *deaths: int) -> AsyncIterator[list[Operation]]:
    """Operations held by a conductor that is no more, under whose steps so many had died before."""
    record = Record()
    async with running(database, [record.workflow(record.step("a"))]) as engine:
        asked = [await enqueue(engine, database, conductor_group="elsewhere") for _ in deaths]
    async with database.write() as tx:
        for operation, count in zip(asked, deaths, strict=True):
            state: dict[str, Any] = {"owner": "gone", "state": OperationState.RUNNING, "deaths": count}
            await change_operation(tx, operation.uuid, 0, **state)
        await register_conductor(tx, "host-z", "me", "elsewhere", [])
    yield asked


async def claimed(database: Database, **terms: Any) -> list[tuple[str, int]]:
    async with database.write() as tx:
        found = await claim_operations(
            tx, owner="me", group="elsewhere", kinds=[("toy", 1)], limit=10, **terms
        )
    return [(operation.uuid, operation.deaths) for operation in found]


async def test_operations_under_suspicion_are_taken_one_at_a_time(database: Database) -> None:
    most = MOST_DEATHS
    async with abandoned(database, most - 3, most - 2, most - 2, most - 1) as (first, second, third, fourth):
        assert await claimed(database, is_suspect_welcome=False) == [(first.uuid, most - 2)]
        assert await claimed(database) == [(second.uuid, most - 1)]
        assert await claimed(database) == [(third.uuid, most - 1)]
        assert await claimed(database) == [(fourth.uuid, most)]
        assert await claimed(database) == []


async def test_a_process_that_came_through_clears_the_step_of_suspicion(database: Database) -> None:
    record = Record()
    async with abandoned(database, MOST_DEATHS - 2) as [operation]:
        settings = replace(SETTINGS, hostname="host-y", conductor_group="elsewhere")
        async with running(database, [record.workflow(record.step("a"))], settings=settings) as engine:
            done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert (done.state, done.deaths) == (OperationState.SUCCEEDED, 0)


async def test_suspects_all_come_to_their_turn(database: Database) -> None:
    record = Record()
    async with abandoned(database, *[MOST_DEATHS - 2] * 3) as operations:
        settings = replace(SETTINGS, hostname="host-y", conductor_group="elsewhere", poll_s=60.0)
        async with running(database, [record.workflow(record.step("a"))], settings=settings) as engine:
            for operation in operations:
                done = await engine.wait_finished(operation.uuid, PATIENCE_S)
                assert done.state is OperationState.SUCCEEDED


async def test_what_a_conductor_left_to_others_in_order_counts_as_no_death(database: Database) -> None:
    held, record = Blocked(), Record()
    quick = replace(SETTINGS, graceful_stop_s=0)
    async with running(database, [record.workflow(record.step("a", held))], settings=quick) as engine:
        operation = await enqueue(engine, database)
        await asyncio.wait_for(held.began.wait(), PATIENCE_S)
    async with database.write() as tx:
        await register_conductor(tx, "host-z", "me", "", [])
        [taken] = await claim_operations(tx, owner="me", group="", kinds=[("toy", 1)], limit=1)
    assert (taken.uuid, taken.deaths) == (operation.uuid, 0)
    assert (await look(database, operation)).owner == "me"
