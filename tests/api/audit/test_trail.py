"""Each change through the API leaves one event of the audit trail, each refusal too, and nothing else."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bessemer.api.app import create_app
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.domain.audit import AuditEvent, Outcome
from bessemer.kernel.clock import SystemClock
from bessemer.policy.policy import Policy
from bessemer.service.audit import AuditTrail, Draft, current_draft
from bessemer.service.caller import Caller
from bessemer.store.audit import AuditFilter, add_host_event, list_links, verify_chain
from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.api_world import World, make_world, quick_settings

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
NODE = {"driver": "fake-hardware", "name": "n1"}
ADA = Caller(
    user="u-ada", user_name="ada", project="p-1", project_name="one", roles=frozenset({"admin", "member"}),
    system_scope="all",
)  # fmt: skip
EVE = Caller(user="u-eve", project="p-2", roles=frozenset({"reader"}))


class Known:
    """Who the token says."""

    async def identify(self, proof: Proof) -> Caller:
        callers = {"ada": ADA, "eve": EVE}
        if proof.token not in callers:
            raise Denial(401, "Authentication is required.")
        return callers[proof.token]

    async def close(self) -> None:
        return None


class Audit:
    """The API with an audit trail, and what is in it."""

    def __init__(self, world: World, database: Database, policy: Policy | None = None) -> None:
        self.world = world
        self.database = database
        self.trail = AuditTrail(database)
        authentication: Any = Known() if policy else None
        app = create_app(world.services, world.settings, (), authentication, policy, audit=self.trail)
        self.client = ApiClient(app)

    async def events(self) -> Sequence[AuditEvent]:
        await self.trail.chain_waiting()
        async with self.database.read() as tx:
            return [link.event for link in await list_links(tx, AuditFilter())]

    async def the_event(self) -> AuditEvent:
        """The one there is."""
        events = await self.events()
        assert len(events) == 1, events
        return events[0]


@pytest.fixture
async def audit(database: Database) -> Audit:
    return Audit(await make_world(database, SystemClock()), database)


@pytest.fixture
async def guarded(database: Database) -> Audit:
    settings = quick_settings()
    world = await make_world(database, SystemClock(), settings=settings)
    return Audit(world, database, Policy.of(settings))


async def as_user(audit: Audit, user: str, method: str, path: str, body: Any = None) -> int:
    return (await audit.client.call(method, path, body, headers={"x-auth-token": user})).status


async def test_a_change_says_who_did_what_to_what_in_which_request(guarded: Audit) -> None:
    reply = await guarded.client.call("POST", "/v1/nodes", NODE, headers={"x-auth-token": "ada"})
    assert reply.status == 201
    event = await guarded.the_event()
    assert (event.user, event.user_name, event.project, event.project_name) == ("u-ada", "ada", "p-1", "one")
    assert (list(event.roles), event.system_scope, event.address) == (["admin", "member"], "all", "192.0.2.9")
    assert (event.method, event.route, event.rule) == ("POST", "/nodes", "baremetal:node:create")
    assert (event.resource_type, event.resource) == ("node", reply.json["uuid"])
    assert (event.outcome, event.request_id) == (Outcome.DONE, reply.headers["openstack-request-id"])


async def test_a_node_that_was_named_is_recorded_by_its_uuid(audit: Audit) -> None:
    node = (await audit.client.post("/v1/nodes", NODE)).json
    await audit.client.patch("/v1/nodes/n1", [{"op": "add", "path": "/extra/a", "value": 1}])
    await audit.client.delete("/v1/nodes/n1")
    events = await audit.events()
    assert [event.method for event in events] == ["POST", "PATCH", "DELETE"]
    assert {event.resource for event in events} == {node["uuid"]}
    assert {event.resource_type for event in events} == {"node"}


async def test_what_was_changed_along_is_named_too(audit: Audit) -> None:
    node = (await audit.client.post("/v1/nodes", NODE)).json
    port = (
        await audit.client.post("/v1/ports", {"node_uuid": node["uuid"], "address": "52:54:00:00:00:01"})
    ).json
    event = (await audit.events())[1]
    assert (event.resource_type, event.resource) == ("port", port["uuid"])
    assert f"port/{port['uuid']}" in event.changed


async def test_events_that_come_while_others_are_chained_gather_for_the_next_time(audit: Audit) -> None:
    await audit.client.post("/v1/nodes", NODE)

    async def somebody_does_more(tx: Any) -> None:
        await add_host_event(tx, "bessemer node", user="root", resource_type="node")

    audit.database.before_commit = somebody_does_more
    async with asyncio.timeout(10):
        assert await audit.trail.chain_waiting() == 1
        assert await audit.trail.chain_waiting() == 1


async def test_the_event_is_there_exactly_when_the_change_is(audit: Audit) -> None:
    before = audit.database.before_commit
    assert before is not None

    async def fail(tx: Any) -> None:
        await before(tx)
        raise RuntimeError("the process dies here")

    audit.database.before_commit = fail
    assert (await audit.client.post("/v1/nodes", NODE)).status == 500
    audit.database.before_commit = before
    assert (await audit.client.get("/v1/nodes")).json["nodes"] == []
    assert await audit.events() == []


async def test_what_no_transaction_took_along_is_recorded_when_it_was_done(audit: Audit) -> None:
    event = {
        "event": "network.bind_port", "port_id": UUID, "mac_address": "52:54:00:00:00:01",
        "status": "ACTIVE", "device_id": UUID, "binding:host_id": UUID, "binding:vnic_type": "baremetal",
    }  # fmt: skip
    reply = await audit.client.post("/v1/events", {"events": [event]})
    assert reply.status == 204, reply.body
    recorded = await audit.the_event()
    assert (recorded.route, recorded.outcome, recorded.status) == ("/events", Outcome.DONE, 204)


async def test_a_request_that_fails_after_its_change_leaves_a_second_event(audit: Audit) -> None:
    draft = Draft("PUT", "/nodes/{node}/vifs", "192.0.2.9", caller=ADA, noun="node", ident="n1")
    with audit.trail.during(draft):
        async with audit.database.write():
            assert current_draft() is draft
        await audit.trail.end(draft, 504)
    assert current_draft() is None
    assert [(event.outcome, event.status) for event in await audit.events()] == [
        (Outcome.DONE, None),
        (Outcome.FAILED, 504),
    ]


async def test_reading_leaves_no_event(audit: Audit) -> None:
    for path in ("/v1/nodes", "/v1", "/v1/drivers", "/v1/nodes/nobody"):
        await audit.client.get(path)
    await audit.client.call("OPTIONS", "/v1/nodes")
    assert await audit.events() == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/nodes", {"driver": "no such driver"}),
        ("PATCH", "/v1/nodes/nobody", [{"op": "add", "path": "/extra/a", "value": 1}]),
        ("DELETE", "/v1/nodes/nobody", None),
        ("POST", "/v1/nothing/here", {}),
    ],
)
async def test_what_could_not_be_done_leaves_no_event(
    audit: Audit, method: str, path: str, body: Any
) -> None:
    assert (await audit.client.call(method, path, body)).status >= 400
    assert await audit.events() == []


async def test_a_refusal_by_policy_is_recorded_with_who_was_refused(guarded: Audit) -> None:
    assert await as_user(guarded, "eve", "POST", "/v1/chassis", {}) == 403
    event = await guarded.the_event()
    assert (event.outcome, event.status, event.user) == (Outcome.REFUSED, 403, "u-eve")
    assert (event.rule, event.route) == ("baremetal:chassis:create", "/chassis")


async def test_a_stranger_is_recorded_by_address_and_path(guarded: Audit) -> None:
    assert await as_user(guarded, "mallory", "DELETE", "/v1/nodes/n1") == 401
    event = await guarded.the_event()
    assert (event.outcome, event.status, event.user) == (Outcome.REFUSED, 401, None)
    assert (event.address, event.route) == ("192.0.2.9", "/v1/nodes/n1")


async def test_a_flood_of_refusals_does_not_fill_the_trail(guarded: Audit) -> None:
    for _ in range(30):
        await as_user(guarded, "mallory", "DELETE", "/v1/nodes/n1")
    assert len(await guarded.events()) == 20


async def test_nothing_secret_gets_into_an_event(audit: Audit) -> None:
    await audit.client.post("/v1/nodes", {**NODE, "driver_info": {"redfish_password": "open-sesame"}})
    path = "/driver_info/redfish_password"
    await audit.client.patch("/v1/nodes/n1", [{"op": "add", "path": path, "value": "open-sesame"}])
    assert "open-sesame" not in str(await audit.events())


async def test_the_chain_of_many_requests_is_sound(audit: Audit) -> None:
    for number in range(20):
        await audit.client.post("/v1/chassis", {"description": str(number)})
    assert len(await audit.events()) == 20
    verdict = await verify_chain(audit.database)
    assert verdict.is_sound
    assert (verdict.head.position, verdict.unchained) == (20, 0)


async def test_writes_outside_of_requests_leave_no_event(audit: Audit) -> None:
    node = (await audit.client.post("/v1/nodes", NODE)).json
    await audit.world.put_node(node["uuid"], description="by a background duty")
    assert len(await audit.events()) == 1
