"""What a request names that no database column holds: it is refused, recorded, and holds up nothing else."""

import asyncio
import random
import string
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import insert

from bessemer.api.app import create_app
from bessemer.api.v2.operation import routes as operation_routes
from bessemer.domain.audit import AuditEvent, Outcome, canonical
from bessemer.kernel.ident import new_uuid
from bessemer.service import audit
from bessemer.service.audit import AuditTrail
from bessemer.store.audit import AuditFilter, Link, count_unchained, list_links, verify_chain
from bessemer.store.database import Database
from bessemer.store.table import AUDIT_INBOX
from fakes.clock import FakeClock
from fakes.persona import Masquerade, default_policy
from fakes.policy_world import PersonaClient, policy_world

#: Longer than PostgreSQL indexes, and not to be made shorter by packing it.
LONG = "".join(random.Random(1).choices(string.ascii_letters, k=5000))


class Site:
    def __init__(self, client: PersonaClient, database: Database) -> None:
        self.client, self.database = client, database
        self.trail = AuditTrail(database)

    async def links(self) -> list[Link]:
        async with self.database.read() as tx:
            return list(await list_links(tx, AuditFilter(outcome="refused")))

    async def put_as_before(self, text: str, uuid: str) -> None:
        """What a release wrote that took anything."""
        async with self.database.write() as tx:
            await tx.execute(insert(AUDIT_INBOX), {"uuid": uuid, "event": text})


@pytest_asyncio.fixture
async def site(database: Database, clock: FakeClock) -> AsyncIterator[Site]:
    async with policy_world(database, clock) as stage:
        world, trail = stage.world, AuditTrail(database)
        beside = operation_routes(world.services.operations, lambda request: request.state.caller)
        app = create_app(world.services, world.settings, beside, Masquerade(), default_policy(), audit=trail)
        site = Site(PersonaClient(app, "other_admin"), database)
        site.trail = trail
        yield site


async def test_a_long_name_that_is_refused_is_recorded_as_far_as_it_can_be_kept(site: Site) -> None:
    assert (await site.client.call("DELETE", f"/v1/drivers/{LONG}/vendor_passthru/x")).status == 403
    await site.trail.chain_waiting()
    [link] = await site.links()
    assert link.event.resource == LONG[:255]
    assert "not kept as it was given: resource" in link.event.detail
    assert (await verify_chain(site.database)).is_sound


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/v1/drivers/%00/vendor_passthru/x", 404),
        ("DELETE", "/v1/nodes/n1/traits/%00", 404),
        ("GET", "/v1/conductors/%00", 404),
        ("GET", "/v1/nodes/n1/history/%00", 404),
        ("GET", "/v2/operations/%00", 404),
        ("GET", "/v2/nodes/%00/operations", 404),
        ("GET", "/v2/nodes/n1/operations?marker=%00", 400),
        ("GET", "/v1/nodes?owner=%00", 400),
        ("GET", "/v1/nodes?marker=%00", 400),
    ],
)
async def test_a_nul_in_an_address_is_refused(site: Site, method: str, path: str, status: int) -> None:
    assert (await site.client.call(method, path)).status == status
    await site.trail.chain_waiting()


async def test_events_that_cannot_be_chained_as_they_are_hold_up_none_behind_them(site: Site) -> None:
    for name in ("\x00", LONG):
        event = AuditEvent(
            uuid=new_uuid(), at="2026-11-23T12:00:00.000000+00:00", outcome=Outcome.REFUSED, resource=name
        )
        await site.put_as_before(canonical(event), event.uuid)
    await site.put_as_before('{"zork": 1}', new_uuid())
    await site.trail.chain_waiting()
    assert [link.event.resource for link in await site.links()] == ["\ufffd", LONG[:255]]
    async with site.database.read() as tx:
        assert await count_unchained(tx) == 0
        [unread] = await list_links(tx, AuditFilter(outcome="failed"))
    assert unread.event.detail == 'what waited here cannot be read: {"zork": 1}'
    assert (await verify_chain(site.database)).is_sound


async def test_no_failure_ends_the_chaining(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = asyncio.Queue[None]()
    monkeypatch.setattr(audit, "PAUSE_S", 0.01)
    monkeypatch.setattr(audit, "RETRY_S", 0.01)

    async def fail() -> int:
        tried.put_nowait(None)
        raise RuntimeError

    monkeypatch.setattr(site.trail, "chain_waiting", fail)
    running = asyncio.create_task(site.trail.run())
    async with asyncio.timeout(10):
        for _ in range(2):
            await tried.get()
    running.cancel()
    await asyncio.wait((running,))
