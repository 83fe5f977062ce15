"""A conductor that stood still wakes up in the middle of a line: what it was about to do to a machine may be
a peer's matter by now, and is not done."""

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bessemer.config.settings import RedfishSettings
from bessemer.domain.operation import OperationState
from bessemer.engine.gateway import CANCEL
from bessemer.engine.workflow import OnInterrupt, Verdict
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.error import FenceLost
from bessemer.kernel.lease import check_may_act
from bessemer.store.conductor import has_lease_ended
from bessemer.store.database import Database
from bessemer_lab.fleet import Fleet, Pace
from engine.child import RESET, bmc_access
from engine.test_kill import Cradle, ask, cradle
from fakes.engine import BRIEF, PATIENCE_S, SETTINGS, Record, Toy, carry_out, enqueue, eventually, running

__all__ = ["cradle"]

HEIR = replace(SETTINGS, hostname="heir")


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


async def test_a_frozen_process_that_goes_on_calls_no_bmc_after_its_peer_has(
    database: Database, cradle: Cradle, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    async with Fleet(1, pace=Pace(answer_s=0, power_s=0, boot_s=0, command_s=0)) as fleet:
        operation = await ask(database, "late", args={"bmc": fleet.bmc_url(0)})
        # Few signs of life: a process frozen in the middle of one keeps SQLite's lock.
        alive = {"heartbeat_interval_s": 1.0, "lease_s": BRIEF.lease_s, "poll_s": 1.0}
        frozen = await cradle.begin(operation, world, settings=alive)

        async def is_frozen() -> bool:
            status = Path(f"/proc/{frozen}/stat").read_text()  # noqa: ASYNC240  no disk is read
            return status.rpartition(")")[2].split()[0] == "T"

        await eventually(is_frozen)
        pool = BmcPool(RedfishSettings())

        async def switch_on(context: Toy) -> None:
            await pool.connection(bmc_access(fleet.bmc_url(0))).post(RESET, {"ResetType": "On"})

        record = Record()
        heir = record.workflow(record.step("late", switch_on), kind="late")
        try:
            async with running(database, [heir], settings=HEIR) as engine:
                done = await engine.wait_finished(operation.uuid, PATIENCE_S)
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert await cradle.ended() == 0
        await pool.close()
        assert (done.state, done.fence) == (OperationState.SUCCEEDED, 2)
        assert world.read_text().splitlines() == ["the loser was refused"]
        assert [call.body for call in fleet.record.changes()] == [{"ResetType": "On"}]


async def test_a_step_whose_event_loop_stood_still_does_nothing_more_and_is_taken_up_again(
    database: Database,
) -> None:
    record, acts = Record(), []

    async def stand_still_once(context: Toy) -> None:
        if record.calls.count("run a") == 1:
            time.sleep(1.2 * BRIEF.lease_s)  # noqa: ASYNC251  the very thing that must do no harm
        check_may_act()
        acts.append("acted")

    async def absent(_: Toy) -> Verdict:
        return Verdict.ABSENT

    step = record.step("a", stand_still_once, check=absent, on_interrupt=OnInterrupt.CHECK)
    async with running(database, [record.workflow(step)], settings=BRIEF) as engine:
        done = await carry_out(engine, database)
    assert done.state is OperationState.SUCCEEDED
    assert record.calls == ["run a", "check a", "run a"]
    assert acts == ["acted"]


async def test_whatever_a_step_set_going_beside_itself_stands_under_its_lease(database: Database) -> None:
    record = Record()
    refused: list[bool] = []

    async def act() -> None:
        try:
            check_may_act()
            refused.append(False)
        except FenceLost:
            refused.append(True)

    async def run(context: Toy) -> None:
        if not refused:
            time.sleep(1.2 * BRIEF.lease_s)  # noqa: ASYNC251  see above
        async with asyncio.TaskGroup() as group:
            group.create_task(act())

    async with running(database, [record.workflow(record.step("a", run))], settings=BRIEF) as engine:
        await carry_out(engine, database)
    assert refused[0] is True
    assert refused[-1] is False


async def test_nothing_is_begun_under_a_lease_that_is_over_and_everything_when_there_is_one_again(
    database: Database,
) -> None:
    acts: list[str] = []

    async def act(_: Toy) -> None:
        check_may_act()
        acts.append("acted")

    async def is_lease_over() -> bool:
        async with database.read() as tx:
            return await has_lease_ended(tx, within_s=60)

    record = Record()
    # A step that must not be begun twice, and nothing that looks by itself: neither for work nor for signs.
    workflow = record.workflow(record.step("a", act, on_interrupt=OnInterrupt.ASK))
    settings = replace(BRIEF, heartbeat_interval_s=600, poll_s=600)
    async with running(database, [workflow], settings=settings) as engine:
        await eventually(is_lease_over)
        operation = await enqueue(engine, database)
        async with database.write() as tx:
            await tx.notify(CANCEL)  # asks for a sign of life
        done = await engine.wait_finished(operation.uuid, PATIENCE_S)
    assert (done.state, acts) == (OperationState.SUCCEEDED, ["acted"])
