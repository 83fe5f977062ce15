"""The audit trail: a chain that grows at its end only, and shows when anybody has touched it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Update, select, text, update
from sqlalchemy.exc import DBAPIError

from bessemer.domain.audit import GENESIS, AuditEvent, Outcome
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.audit import (
    AuditFilter,
    Head,
    add_audit_event,
    chain_events,
    count_unchained,
    get_head,
    list_links,
    prune_chain,
    verify_chain,
)
from bessemer.store.database import Database
from bessemer.store.table import AUDIT_EVENTS
from fakes.clock import FakeClock


def an_event(at: str = "2026-11-23T12:00:00.000000+00:00", **more: Any) -> AuditEvent:
    return AuditEvent(**{"uuid": new_uuid(), "at": at, "outcome": Outcome.DONE, "user": "ada", **more})


async def put(database: Database, *events: AuditEvent) -> None:
    async with database.write() as tx:
        for event in events:
            await add_audit_event(tx, event)


async def chain(database: Database, limit: int = 500) -> int:
    async with database.write() as tx:
        return await chain_events(tx, limit)


async def tamper(database: Database, *statements: str | Update) -> None:
    """Do as somebody does who may do anything with the database: put the guards away first."""
    async with database.write() as tx:
        if tx.is_postgresql:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for table in ("audit_events", "audit_anchors"):
                await tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_update"))
                await tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
        for statement in statements:
            await tx.execute(text(statement) if isinstance(statement, str) else statement)


async def a_chain_of(database: Database, count: int) -> Head:
    await put(database, *(an_event(resource=f"node-{number}") for number in range(count)))
    await chain(database)
    async with database.read() as tx:
        return await get_head(tx)


async def test_events_wait_in_the_inbox_until_they_are_chained(database: Database) -> None:
    await put(database, an_event(), an_event(), an_event())
    verdict = await verify_chain(database)
    assert (verdict.is_sound, verdict.head, verdict.unchained) == (True, Head(0, GENESIS), 3)
    assert await chain(database, limit=2) == 2
    assert await chain(database) == 1
    assert await chain(database) == 0
    verdict = await verify_chain(database)
    assert (verdict.is_sound, verdict.head.position, verdict.unchained) == (True, 3, 0)


async def test_an_event_is_lost_with_the_change_it_was_written_with(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as tx:
            await add_audit_event(tx, an_event())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as tx:
        assert await count_unchained(tx) == 0


async def test_chaining_from_two_sides_makes_one_chain(database: Database) -> None:
    await put(database, *(an_event() for _ in range(40)))

    await asyncio.gather(*(chain(database, limit=3) for _ in range(20)))
    await chain(database)
    verdict = await verify_chain(database)
    assert (verdict.is_sound, verdict.head.position) == (True, 40)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE audit_events SET event = replace(event, 'ada', 'adb') WHERE position = 3"], "position 3"),
        (["UPDATE audit_events SET hash = replace(hash, 'a', 'b') WHERE position = 4"], "position 4"),
        (["UPDATE audit_events SET \"user\" = 'eve' WHERE position = 2"], "position 2: column 'user'"),
        (["DELETE FROM audit_events WHERE position = 3"], "position 3 is missing"),
        (["DELETE FROM audit_events WHERE position = 1"], "position 1 is missing"),
        (
            [
                "UPDATE audit_events SET position = 99 WHERE position = 2",
                "UPDATE audit_events SET position = 2 WHERE position = 3",
                "UPDATE audit_events SET position = 3 WHERE position = 99",
            ],
            "position 2",
        ),
    ],
    ids=["one byte", "a hash", "a column", "a deleted link", "the first link", "two links exchanged"],
)
async def test_whatever_is_changed_in_the_chain_is_noticed(
    database: Database, statements: Sequence[str], problem: str
) -> None:
    await a_chain_of(database, 5)
    await tamper(database, *statements)
    verdict = await verify_chain(database)
    assert not verdict.is_sound
    assert problem in verdict.problem


async def test_every_single_changed_byte_of_an_event_is_noticed(database: Database) -> None:
    await a_chain_of(database, 2)
    await tamper(database)
    event = update(AUDIT_EVENTS).where(AUDIT_EVENTS.c.position == 1)
    async with database.read() as tx:
        before = str((await tx.execute(select(AUDIT_EVENTS.c.event))).scalar())
    for number in range(0, len(before), 7):
        changed = before[:number] + chr(ord(before[number]) ^ 1) + before[number + 1 :]
        await tamper(database, event.values(event=changed))
        assert not (await verify_chain(database)).is_sound, changed
    await tamper(database, event.values(event=before))
    assert (await verify_chain(database)).is_sound


async def test_a_head_that_was_noted_shows_a_chain_that_was_cut_or_written_anew(database: Database) -> None:
    noted = await a_chain_of(database, 5)
    assert (await verify_chain(database, noted)).is_sound
    await tamper(database, "DELETE FROM audit_events WHERE position > 3")
    assert (await verify_chain(database)).is_sound
    assert "ends at position 3" in (await verify_chain(database, noted)).problem
    await put(database, an_event(resource="forged"), an_event(resource="forged"))
    await chain(database)
    assert (await verify_chain(database)).is_sound
    assert "written anew" in (await verify_chain(database, noted)).problem


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET hash = ''",
        "DELETE FROM audit_events",
        "UPDATE audit_inbox SET event = '{}'",
        "DELETE FROM audit_inbox",
        "DELETE FROM audit_anchors",
    ],
)
async def test_the_database_itself_refuses_to_change_or_delete(database: Database, statement: str) -> None:
    await a_chain_of(database, 2)
    await tamper_anchor(database)
    await put(database, an_event())
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as tx:
            await tx.execute(text(statement))


async def tamper_anchor(database: Database) -> None:
    async with database.write() as tx:
        assert await prune_chain(tx, "2027") == 1


async def test_pruning_leaves_an_anchor_and_a_sound_chain(database: Database, clock: FakeClock) -> None:
    await put(database, *(an_event(f"2026-11-2{day}T00:00:00.000000+00:00") for day in range(1, 6)))
    await chain(database)
    async with database.read() as tx:
        old_head = await get_head(tx)
    async with database.write() as tx:
        assert await prune_chain(tx, "2026-11-23") == 2
    async with database.write() as tx:
        assert await prune_chain(tx, "2026-11-23") == 0
    verdict = await verify_chain(database, old_head)
    assert (verdict.is_sound, verdict.anchor.position, verdict.head) == (True, 2, old_head)
    with pytest.raises(NotFound, match="pruned"):
        await verify_chain(database, Head(1, GENESIS))
    await put(database, an_event())
    await chain(database)
    assert (await verify_chain(database, old_head)).head.position == 6
    await tamper(database, "DELETE FROM audit_events WHERE position = 3")
    assert not (await verify_chain(database)).is_sound


async def test_pruning_everything_keeps_the_newest_link(database: Database) -> None:
    head = await a_chain_of(database, 3)
    async with database.write() as tx:
        assert await prune_chain(tx, "2030") == 2
    assert (await verify_chain(database, head)).head == head


async def test_pruning_stops_at_the_first_event_that_is_young_enough(database: Database) -> None:
    await put(database, an_event("2026-11-01"), an_event("2026-11-03"), an_event("2026-11-02"), an_event())
    await chain(database)
    async with database.write() as tx:
        assert await prune_chain(tx, "2026-11-03") == 1
    assert (await verify_chain(database)).anchor.position == 1


async def test_of_several_anchors_only_the_newest_stays(database: Database) -> None:
    head = await a_chain_of(database, 9)
    for _ in range(2):
        async with database.write() as tx:
            assert await prune_chain(tx, "2030", 3) == 3
    verdict = await verify_chain(database, head)
    assert (verdict.is_sound, verdict.anchor.position) == (True, 6)
    async with database.read() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM audit_anchors"))).scalar() == 1


async def test_lists_are_filtered_and_paged_in_the_order_of_the_chain(database: Database) -> None:
    await put(
        database,
        an_event("2026-11-01", user="ada", resource="n1"),
        an_event("2026-11-02", user="bob", resource="n1", outcome=Outcome.REFUSED, status=403),
        an_event("2026-11-03", user="ada", resource="n2", project="p", request_id="req-1"),
    )
    await chain(database)

    async def found(after: int = 0, **filters: Any) -> list[int]:
        async with database.read() as tx:
            return [link.position for link in await list_links(tx, AuditFilter(**filters), after=after)]

    assert await found() == [1, 2, 3]
    assert await found(after=1) == [2, 3]
    assert await found(user="ada") == [1, 3]
    assert await found(resource="n1", outcome="refused") == [2]
    assert await found(project="p", request_id="req-1") == [3]
    assert await found(since="2026-11-02", until="2026-11-03") == [2]
