"""Subscriptions to events of BMCs: what is known of them, and how those that nobody needs are found again."""

from typing import Any

import pytest
from sqlalchemy import text

from bessemer.domain.event_subscription import EventSubscription
from bessemer.domain.node import Node
from bessemer.kernel.clock import timestamp
from bessemer.store.database import Database
from bessemer.store.duty import (
    EVENTS,
    HASTENED,
    HEALTH,
    POWER,
    Outcome,
    claim_node_duties,
    ensure_node_duties,
    finish_node_duties,
    hasten_duty,
    next_node_duty,
)
from bessemer.store.event_subscription import (
    add_subscription,
    claim_left_subscriptions,
    delete_subscription,
    doubt_subscription,
    find_subscription,
    is_subscribed,
    leave_subscription,
    leave_subscriptions,
    note_heard,
    prune_left_subscriptions,
    update_subscription,
)
from bessemer.store.node import delete_node
from bessemer.store.node_view import read_node_views
from bessemer.store.reseal import count_stale
from fakes.clock import FakeClock
from fakes.store import add_nodes
from fakes.wait import until

ACCESS = {"redfish_address": "https://bmc", "redfish_username": "admin", "redfish_password": "very secret"}


async def subscribed(database: Database, node: Node, group: str = "") -> EventSubscription:
    async with database.write() as tx:
        return await add_subscription(
            tx, node_uuid=node.uuid, group=group, access=ACCESS, path="/s/1", context=f"bessemer:{node.uuid}"
        )


async def found(database: Database, node: Node) -> EventSubscription | None:
    async with database.read() as tx:
        return await find_subscription(tx, node.uuid)


async def left(database: Database, group: str = "") -> list[str]:
    async with database.write() as tx:
        until_when = timestamp(tx.clock, after_s=60)
        return [
            one.context
            for one in await claim_left_subscriptions(tx, group, limit=10, claimed_until=until_when)
        ]


async def has_events(database: Database, node: Node) -> bool:
    async with database.read() as tx:
        return (await read_node_views(tx, [node.uuid]))[node.uuid].has_events


async def test_a_subscription_is_kept_with_its_password_sealed(database: Database) -> None:
    [node] = await add_nodes(database, {})
    made = await subscribed(database, node)
    assert await found(database, node) == made
    assert made.access == ACCESS
    async with database.read() as tx:
        raw = str((await tx.execute(text("SELECT access FROM event_subscriptions"))).scalar_one())
    assert "very secret" not in raw
    assert "https://bmc" in raw
    assert await count_stale(database) == 0


async def test_a_subscription_without_its_node_is_to_be_taken_away(
    database: Database, clock: FakeClock
) -> None:
    gone, left_one, kept = await add_nodes(database, {}, {}, {})
    for node in (gone, left_one, kept):
        await subscribed(database, node)
    assert await left(database) == []
    async with database.write() as tx:
        await delete_node(tx, gone.uuid)
        assert await leave_subscription(tx, left_one.uuid)
        assert not await leave_subscription(tx, left_one.uuid)
    assert await left(database, "elsewhere") == []
    assert sorted(await left(database)) == sorted(f"bessemer:{one.uuid}" for one in (gone, left_one))
    assert await left(database) == [], "somebody is at it"
    clock.advance(61)
    async with database.write() as tx:
        again = await claim_left_subscriptions(tx, "", limit=1, claimed_until=timestamp(tx.clock, after_s=60))
        assert again[0].access == ACCESS
        await delete_subscription(tx, again[0].uuid)
    assert len(await left(database)) == 1


async def test_one_that_cannot_be_opened_is_no_reason_not_to_take_the_others_away(database: Database) -> None:
    broken, whole = await add_nodes(database, {}, {})
    made = await subscribed(database, broken)
    await subscribed(database, whole)
    async with database.write() as tx:
        moved = {"old": made.uuid, "new": "0195cafe-0000-7000-8000-000000000000"}
        await tx.execute(text("UPDATE event_subscriptions SET uuid = :new WHERE uuid = :old"), moved)
        await leave_subscriptions(tx, "")
    assert await left(database) == [f"bessemer:{whole.uuid}"]
    async with database.read() as tx:
        kept = (await tx.execute(text("SELECT count(*) FROM event_subscriptions"))).scalar_one()
    assert kept == 1


async def test_one_of_an_old_node_is_not_forgotten_before_it_was_tried(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {})
    await subscribed(database, node)
    clock.advance(8 * 86400)
    async with database.write() as tx:
        await delete_node(tx, node.uuid)
        assert await prune_left_subscriptions(tx, timestamp(tx.clock, after_s=-7 * 86400)) == 0
    assert await left(database) == [f"bessemer:{node.uuid}"]


async def test_a_subscription_is_wanted_by_its_context_while_a_node_has_it(database: Database) -> None:
    [node] = await add_nodes(database, {})
    made = await subscribed(database, node)
    async with database.write() as tx:
        assert await is_subscribed(tx, made.context)
        assert not await is_subscribed(tx, "another")
        await leave_subscription(tx, node.uuid)
        assert not await is_subscribed(tx, made.context)


async def test_a_node_may_be_subscribed_to_anew_before_the_old_one_is_taken_away(database: Database) -> None:
    [node] = await add_nodes(database, {})
    first = await subscribed(database, node)
    async with database.write() as tx:
        await leave_subscription(tx, node.uuid)
    second = await subscribed(database, node)
    assert second.uuid != first.uuid
    assert await found(database, node) == second


async def test_all_of_a_group_can_be_let_go(database: Database) -> None:
    nodes = await add_nodes(database, {}, {}, {"conductor_group": "b"})
    for node, group in zip(nodes, ("", "", "b"), strict=True):
        await subscribed(database, node, group)
    async with database.write() as tx:
        assert await leave_subscriptions(tx, "") == 2
        assert await leave_subscriptions(tx, "") == 0
    assert await found(database, nodes[2]) is not None


async def test_events_are_relied_on_from_the_first_one_until_they_are_doubted(
    database: Database, clock: FakeClock
) -> None:
    node, other = await add_nodes(database, {}, {})
    made = await subscribed(database, node)
    await subscribed(database, other)
    assert not await has_events(database, node)
    async with database.write() as tx:
        await note_heard(tx, [node.uuid, "00000000-0000-0000-0000-000000000000"])
    assert await has_events(database, node)
    assert not await has_events(database, other)
    async with database.write() as tx:
        assert not await doubt_subscription(tx, node.uuid, unheard_since=timestamp(tx.clock, after_s=-30))
        assert not await doubt_subscription(tx, other.uuid, unheard_since=timestamp(tx.clock, after_s=30))
    clock.advance(31)
    async with database.write() as tx:
        assert await doubt_subscription(tx, node.uuid, unheard_since=timestamp(tx.clock, after_s=-30))
    assert not await has_events(database, node)
    async with database.write() as tx:
        await update_subscription(tx, made.uuid, heard_at=tx.now(), path="/s/2")
    assert await has_events(database, node)
    changed = await found(database, node)
    assert changed is not None
    assert (changed.path, changed.access) == ("/s/2", ACCESS)


async def test_what_is_hastened_is_due_now_and_those_who_do_it_are_told(
    database: Database, clock: FakeClock
) -> None:
    nodes = await add_nodes(database, {}, {}, {})
    told: list[str] = []
    later = timestamp(clock, after_s=600)
    async with database.write() as tx:
        claimed = await claim_node_duties(tx, POWER, "", limit=9, claimed_until=later)
        await finish_node_duties(tx, POWER, [Outcome(one, later) for one in claimed])
    clock.advance(5)
    async with database.listen(HASTENED, told.append):
        async with database.write() as tx:
            await hasten_duty(tx, POWER, nodes[2].uuid, nodes[0].uuid, "00000000-0000-0000-0000-000000000000")
        await until(lambda: POWER in told)
    async with database.write() as tx:
        again = await claim_node_duties(tx, POWER, "", limit=9, claimed_until=later)
    assert {one.node_uuid for one in again} == {nodes[0].uuid, nodes[2].uuid}


async def test_a_look_that_was_hastened_meanwhile_does_not_put_off_the_next_one(
    database: Database, clock: FakeClock
) -> None:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        [mine] = await claim_node_duties(tx, HEALTH, "", limit=9, claimed_until=timestamp(clock, after_s=240))
    clock.advance(1)
    async with database.write() as tx:
        await hasten_duty(tx, HEALTH, node.uuid)
        await finish_node_duties(tx, HEALTH, [Outcome(mine, timestamp(clock, after_s=600))])
        assert await next_node_duty(tx, HEALTH, "") == tx.now()


@pytest.mark.parametrize("group", ["", "b"])
async def test_nodes_that_an_older_release_enrolled_get_the_duty(database: Database, group: str) -> None:
    [node, _] = await add_nodes(database, {"conductor_group": group}, {})
    values: dict[str, Any] = {"uuid": node.uuid, "duty": EVENTS}
    async with database.write() as tx:
        await tx.execute(text("DELETE FROM node_duties WHERE node_uuid = :uuid AND duty = :duty"), values)
        await ensure_node_duties(tx, EVENTS)
        await ensure_node_duties(tx, EVENTS)
        claimed = await claim_node_duties(tx, EVENTS, group, limit=9, claimed_until=tx.now())
    assert node.uuid in {one.node_uuid for one in claimed}
