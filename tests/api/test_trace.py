"""Spans of requests: parts of their callers' traces, named by routes, without anything that was sent."""

from collections.abc import Iterator

import pytest
from starlette.responses import Response

from bessemer.api.access import Access
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.trace import read_traceparent
from bessemer.store.database import Database
from fakes.api_client import Reply, exchange
from fakes.api_world import World, make_world
from fakes.canary import CANARY
from fakes.traced import Kept, traced

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NAMED = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest.fixture
def kept() -> Iterator[Kept]:
    with traced() as kept:
        yield kept


async def world_on(database: Database) -> World:
    return await make_world(database, SystemClock())


def trace_of(reply: Reply) -> str:
    context = read_traceparent(reply.headers["traceparent"])
    assert context is not None
    return context.trace


async def test_a_request_continues_the_trace_it_names_and_the_answer_names_its_span(
    database: Database, kept: Kept
) -> None:
    world = await world_on(database)
    reply = await world.client.get("/v1/nodes", traceparent=NAMED)
    span = kept.one("GET /v1/nodes")
    context = span.get_span_context()
    assert reply.headers["traceparent"] == f"00-{TRACE}-{context.span_id:016x}-01"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == CALLER
    attributes = dict(span.attributes or {})
    assert attributes["http.response.status_code"] == 200
    assert attributes["bessemer.request"] == reply.headers["openstack-request-id"]


async def test_each_request_that_names_no_trace_begins_one(database: Database, kept: Kept) -> None:
    world = await world_on(database)
    replies = [await world.client.get("/v1/nodes", traceparent=given) for given in ("", "00-nonsense", "é")]
    assert len({trace_of(reply) for reply in replies}) == 3
    assert all(span.parent is None for span in kept.named("GET /v1/nodes"))


async def test_the_operation_that_a_request_asks_for_keeps_where_it_came_from(
    database: Database, kept: Kept
) -> None:
    world = await world_on(database)
    uuid = (await world.add_node())["uuid"]
    reply = await world.client.put(f"/v1/nodes/{uuid}/states/provision", {"target": "manage"})
    [operation] = await world.operations(uuid)
    assert operation.traceparent == reply.headers["traceparent"]


async def test_names_are_routes_whatever_is_asked_for(database: Database, kept: Kept) -> None:
    world = await world_on(database)
    uuid = (await world.add_node(name="some-name"))["uuid"]
    for path in ("some-name", uuid, f"no-such-node?secret={CANARY}", f"{uuid}/no/such/thing"):
        await world.client.get(f"/v1/nodes/{path}")
    await world.client.call("BREW", "/v1/nodes")
    assert {span.name for span in kept.spans} == {
        "POST /v1/nodes",
        "GET /v1/nodes/{node}",
        "GET none",
        "other none",
    }
    told = str([(span.attributes, span.status.description) for span in kept.spans])
    assert not [text for text in (uuid, "some-name", CANARY) if text in told]


@pytest.mark.parametrize(("status", "is_ok"), [(404, True), (409, True), (500, False), (503, False)])
async def test_what_is_the_servers_fault_is_an_error_and_what_is_the_callers_is_not(
    kept: Kept, status: int, is_ok: bool
) -> None:
    app = Access(Response(status_code=status), NoAuthentication())
    await exchange(app, "GET", "/", b"", {})
    [span] = kept.spans
    assert span.status.is_ok == is_ok
    assert dict(span.attributes or {})["http.response.status_code"] == status


async def test_without_traces_no_answer_names_one(database: Database) -> None:
    world = await world_on(database)
    assert "traceparent" not in (await world.client.get("/v1/nodes", traceparent=NAMED)).headers
