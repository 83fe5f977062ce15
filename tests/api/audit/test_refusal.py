"""Refusals that look like something missing are in the audit trail, and v2 names its rules there too."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response

from bessemer.api.app import create_app
from bessemer.api.v2.operation import routes as operation_routes
from bessemer.api.v2.route import RuledRoute
from bessemer.domain.audit import AuditEvent, Outcome
from bessemer.policy.rule import RULES
from bessemer.service.audit import AuditTrail
from bessemer.store.audit import AuditFilter, list_links
from bessemer.store.database import Database
from fakes.api_client import Reply
from fakes.clock import FakeClock
from fakes.persona import OWNER, Masquerade, default_policy
from fakes.policy_world import PersonaClient, policy_world

NODE = {"driver": "fake-hardware", "name": "n1", "resource_class": "gold", "owner": OWNER}


async def _answer(request: Request) -> Response:
    return Response(b"{}")


class Site:
    """The API with policy and audit trail, a node and an allocation of one project."""

    def __init__(self, app: Any, database: Database, trail: AuditTrail) -> None:
        self._app = app
        self._database = database
        self.trail = trail

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Reply:
        return await PersonaClient(self._app, who).call(method, path, body)

    async def refusals(self) -> Sequence[AuditEvent]:
        await self.trail.chain_waiting()
        async with self._database.read() as tx:
            links = await list_links(tx, AuditFilter(outcome="refused"))
        return [link.event for link in links]


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def site(database: Database, clock: FakeClock) -> AsyncIterator[Site]:
    async with policy_world(database, clock) as stage:
        world, trail = stage.world, AuditTrail(database)
        beside = [RuledRoute("/v2/things/{ident}", _answer, rule="baremetal:operation:get", methods=["POST"])]
        app = create_app(world.services, world.settings, beside, Masquerade(), default_policy(), audit=trail)
        site = Site(app, database, trail)
        assert (await site.ask("", "POST", "/v1/nodes", NODE)).status == 201
        order = {"name": "a1", "resource_class": "gold", "owner": OWNER}
        assert (await site.ask("", "POST", "/v1/allocations", order)).status == 201
        yield site


@pytest.mark.parametrize(
    ("path", "rule", "noun", "name"),
    [
        ("/v1/nodes/n1", "baremetal:node:delete", "node", "n1"),
        ("/v1/allocations/a1", "baremetal:allocation:delete", "allocation", "a1"),
    ],
)
async def test_a_refusal_concealed_as_something_missing_is_recorded(
    site: Site, path: str, rule: str, noun: str, name: str
) -> None:
    assert (await site.ask("other_admin", "DELETE", path)).status == 404
    [event] = await site.refusals()
    assert (event.outcome, event.status, event.user) == (Outcome.REFUSED, 404, "other_admin")
    assert (event.rule, event.resource_type, event.resource) == (rule, noun, name)
    assert event.detail == "answered as if it did not exist"


async def test_what_really_is_missing_leaves_no_event(site: Site) -> None:
    assert (await site.ask("other_admin", "DELETE", "/v1/nodes/n2")).status == 404
    assert (await site.ask("system_admin", "DELETE", "/v1/nodes/n2")).status == 404
    assert await site.refusals() == []


async def test_reading_what_is_concealed_leaves_no_event(site: Site) -> None:
    assert (await site.ask("other_admin", "GET", "/v1/nodes/n1")).status == 404
    assert await site.refusals() == []


async def test_the_answer_does_not_wait_for_the_event_of_a_concealed_refusal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, end = asyncio.Event(), site.trail.end

    async def late(*given: Any) -> None:
        assert answered.is_set()
        await end(*given)

    monkeypatch.setattr(site.trail, "end", late)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            answered.set()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"x-auth-token", b"other_admin"), (b"x-openstack-ironic-api-version", b"1.115")]
    scope = {
        "type": "http", "method": "DELETE", "path": "/v1/nodes/n1", "query_string": b"", "headers": headers,
        "client": ("192.0.2.9", 1), "scheme": "http", "server": ("localhost", 6385),
    }  # fmt: skip
    await site._app(scope, receive, send)
    assert len(await site.refusals()) == 1


async def test_a_change_by_v2_names_its_rule(site: Site) -> None:
    assert (await site.ask("system_admin", "POST", "/v2/things/x")).status == 200
    await site.trail.chain_waiting()
    async with site._database.read() as tx:
        event = (await list_links(tx, AuditFilter()))[-1].event
    assert (event.route, event.rule) == ("/v2/things/{ident}", "baremetal:operation:get")
    assert (event.resource_type, event.resource, event.user) == ("things", "x", "system_admin")


def test_every_v2_route_names_a_rule_that_exists() -> None:
    service: Any = None
    found = {route.rule for route in operation_routes(service, lambda request: request.state.caller)}
    assert found == {"baremetal:operation:list", "baremetal:operation:get"}
    assert found <= {rule.name for rule in RULES}
