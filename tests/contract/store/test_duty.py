"""Due duties: claimed by one at a time, in their group, and due again as somebody said."""

import asyncio

import pytest
from sqlalchemy import update

from bessemer.kernel.clock import timestamp
from bessemer.store.database import Database
from bessemer.store.duty import (
    EVERY_NODE,
    HEALTH,
    HISTORY,
    POWER,
    NodeDuty,
    Outcome,
    claim_duty,
    claim_node_duties,
    ensure_duty,
    finish_node_duties,
    get_duty,
    hasten_duty,
    next_node_duty,
)
from bessemer.store.node import delete_node, update_node
from bessemer.store.table import NODE_DUTIES
from fakes.clock import FakeClock
from fakes.store import add_nodes


async def claim(
    database: Database,
    group: str = "",
    *,
    limit: int = 10,
    duty: str = POWER,
    drivers: list[str] | None = None,
) -> list[NodeDuty]:
    async with database.write() as tx:
        until = timestamp(database.clock, after_s=60)
        return await claim_node_duties(tx, duty, group, limit=limit, claimed_until=until, drivers=drivers)


async def finish(database: Database, one: NodeDuty, *, in_s: float, failures: int = 0) -> None:
    async with database.write() as tx:
        outcome = Outcome(one, timestamp(database.clock, after_s=in_s), failures)
        await finish_node_duties(tx, POWER, [outcome])


def uuids(claimed: list[NodeDuty]) -> set[str]:
    return {one.node_uuid for one in claimed}


async def test_every_duty_towards_a_new_node_is_due_at_once_but_for_its_history(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {})
    assert await claim(database, duty=HISTORY) == []
    for duty in EVERY_NODE:
        if duty == HISTORY:
            clock.advance(3600)
        [found] = await claim(database, duty=duty)
        assert (found.node_uuid, found.failures) == (node.uuid, 0)


async def test_what_is_claimed_is_nobody_elses_until_the_claim_ends(
    database: Database, clock: FakeClock
) -> None:
    nodes = await add_nodes(database, {}, {}, {})
    first = await claim(database, limit=2)
    assert len(first) == 2
    assert uuids(await claim(database)) == {node.uuid for node in nodes} - uuids(first)
    assert await claim(database) == []
    clock.advance(61)
    assert len(await claim(database)) == 3


async def test_claims_at_the_same_time_share_the_nodes(database: Database) -> None:
    await add_nodes(database, *({} for _ in range(40)))
    shares = await asyncio.gather(*(claim(database, limit=10) for _ in range(4)))
    found = [one.node_uuid for share in shares for one in share]
    assert len(found) == len(set(found))
    rest = await claim(database, limit=40)
    assert len(found) + len(rest) == 40


async def test_a_duty_is_due_again_when_it_was_said_and_keeps_its_failures(
    database: Database, clock: FakeClock
) -> None:
    await add_nodes(database, {})
    [one] = await claim(database)
    await finish(database, one, in_s=300, failures=2)
    clock.advance(299)
    assert await claim(database) == []
    clock.advance(2)
    [again] = await claim(database)
    assert (again.node_uuid, again.failures) == (one.node_uuid, 2)


async def test_who_comes_after_its_claim_has_ended_moves_nothing(
    database: Database, clock: FakeClock
) -> None:
    await add_nodes(database, {})
    [slow] = await claim(database)
    clock.advance(61)
    [quick] = await claim(database)
    await finish(database, slow, in_s=5000)
    await finish(database, quick, in_s=10)
    clock.advance(11)
    assert uuids(await claim(database)) == {slow.node_uuid}


async def test_a_conductor_claims_in_its_group_only_and_the_group_follows_the_node(
    database: Database,
) -> None:
    [here, there] = await add_nodes(database, {}, {"conductor_group": "rack9"})
    assert uuids(await claim(database, "rack9", duty=HEALTH)) == {there.uuid}
    async with database.write() as tx:
        await update_node(tx, here.uuid, conductor_group="rack9")
    assert uuids(await claim(database, "rack9")) == {here.uuid, there.uuid}
    assert await claim(database) == []


async def test_a_conductor_claims_looks_only_at_hardware_that_it_drives(database: Database) -> None:
    [mine, theirs] = await add_nodes(database, {"driver": "redfish"}, {"driver": "ipmi"})
    assert await claim(database, drivers=[]) == []
    assert uuids(await claim(database, drivers=["redfish", "fake-hardware"])) == {mine.uuid}
    assert uuids(await claim(database, drivers=["ipmi"])) == {theirs.uuid}


async def test_what_nobody_here_drives_keeps_nothing_else_from_its_turn(
    database: Database, clock: FakeClock
) -> None:
    await add_nodes(database, *({"driver": "ipmi"} for _ in range(5)))
    clock.advance(1)
    mine = await add_nodes(database, {"driver": "redfish"}, {"driver": "redfish"})
    assert uuids(await claim(database, limit=2, drivers=["redfish"])) == {node.uuid for node in mine}


async def test_the_longest_overdue_come_first_whatever_their_hardware(
    database: Database, clock: FakeClock
) -> None:
    ages = []
    for driver in ("redfish", "ipmi", "redfish", "ipmi"):
        ages += await add_nodes(database, {"driver": driver})
        clock.advance(1)
    claimed = await claim(database, limit=3, drivers=["ipmi", "redfish"])
    assert uuids(claimed) == {node.uuid for node in ages[:3]}


async def test_what_needs_no_hardware_is_done_by_any_conductor_of_the_group(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {"driver": "ipmi"})
    clock.advance(3600)
    assert uuids(await claim(database, duty=HISTORY, drivers=[])) == {node.uuid}


async def test_a_duty_follows_the_node_to_another_hardware_type_and_group(database: Database) -> None:
    [node] = await add_nodes(database, {"driver": "ipmi"})
    async with database.write() as tx:
        await update_node(tx, node.uuid, driver="redfish", conductor_group="rack9")
    assert await claim(database, "rack9", drivers=["ipmi"]) == []
    assert uuids(await claim(database, "rack9", drivers=["redfish"])) == {node.uuid}


async def test_a_duty_whose_hardware_the_release_before_did_not_note_is_found_and_noted(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {"driver": "ipmi"})
    async with database.write() as tx:
        await tx.execute(update(NODE_DUTIES).values(driver=None))
    assert uuids(await claim(database, drivers=["redfish"])) == {node.uuid}
    clock.advance(61)
    assert await claim(database, drivers=["redfish"]) == []
    assert uuids(await claim(database, drivers=["ipmi"])) == {node.uuid}


async def test_duties_go_with_their_node(database: Database) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        await delete_node(tx, node.uuid)
    assert await claim(database) == []
    async with database.read() as tx:
        assert await next_node_duty(tx, POWER, "") is None


async def test_a_duty_can_be_made_due_now(database: Database) -> None:
    [node] = await add_nodes(database, {})
    [one] = await claim(database)
    await finish(database, one, in_s=3600)
    async with database.write() as tx:
        await hasten_duty(tx, POWER, node.uuid)
        assert await next_node_duty(tx, POWER, "") == tx.now()
    assert uuids(await claim(database)) == {node.uuid}


@pytest.mark.parametrize("times", [1, 3])
async def test_a_duty_of_the_service_is_done_by_one_process_when_it_is_due(
    database: Database, clock: FakeClock, times: int
) -> None:
    async def make_known() -> None:
        async with database.write() as tx:
            await ensure_duty(tx, "sweep the floor")

    async def take() -> bool:
        async with database.write() as tx:
            return await claim_duty(tx, "sweep the floor", timestamp(clock, after_s=60))

    assert not await take()
    await asyncio.gather(*(make_known() for _ in range(times)))
    assert sorted(await asyncio.gather(*(take() for _ in range(5)))) == [False] * 4 + [True]
    async with database.read() as tx:
        assert await get_duty(tx, "sweep the floor") == timestamp(clock, after_s=60)
    await make_known()
    assert not await take()
    clock.advance(60)
    assert await take()
