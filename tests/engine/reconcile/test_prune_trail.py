"""The audit trail is kept bounded by itself, a batch at a time, and says so in itself."""

from sqlalchemy import func, select

from bessemer.domain.audit import AuditEvent, Outcome
from bessemer.engine.reconcile.prune import audit_chore, prune_trail
from bessemer.kernel.clock import timestamp
from bessemer.kernel.ident import new_uuid
from bessemer.store.audit import AuditFilter, add_audit_event, chain_events, list_links, verify_chain
from bessemer.store.database import Database
from bessemer.store.table import AUDIT_ANCHORS
from fakes.clock import FakeClock

DAY_S = 86400.0


async def happen(database: Database, count: int) -> None:
    async with database.write() as tx:
        for _ in range(count):
            event = AuditEvent(uuid=new_uuid(), at=timestamp(tx.clock), outcome=Outcome.DONE)
            await add_audit_event(tx, event)
        await chain_events(tx)


async def events(database: Database) -> list[AuditEvent]:
    async with database.write() as tx:
        await chain_events(tx)
        return [link.event for link in await list_links(tx, AuditFilter())]


async def test_what_is_too_old_goes_and_an_event_says_so(database: Database, clock: FakeClock) -> None:
    chore = audit_chore(database, keep_days=400, interval_s=DAY_S, command="conductor h1")
    await happen(database, 5)
    assert await chore.run() == 0
    clock.advance(399 * DAY_S)
    await happen(database, 2)
    assert await chore.run() == 0
    assert len(await events(database)) == 7
    clock.advance(2 * DAY_S)
    assert await chore.run() == 5
    *kept, told = await events(database)
    assert len(kept) == 2
    assert (told.route, told.user, told.resource_type) == ("conductor h1", None, "audit")
    assert told.detail == "5 events deleted that were older than 400 days"
    assert told.resource.startswith("5:")
    verdict = await verify_chain(database)
    assert (verdict.is_sound, verdict.anchor.position, verdict.head.position) == (True, 5, 8)


async def test_a_long_trail_is_cut_in_batches_and_anchors_do_not_gather(
    database: Database, clock: FakeClock
) -> None:
    await happen(database, 11)
    clock.advance(2 * DAY_S)
    assert await prune_trail(database, keep_days=1, command="by hand", user="ada", batch=4) == 10
    async with database.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(AUDIT_ANCHORS))).scalar() == 1
    assert [event.detail[:2] for event in await events(database)] == ["", "4 ", "4 ", "2 "]
    assert (await verify_chain(database)).is_sound
