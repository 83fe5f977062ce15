"""What is true of every call: versions, errors, ids, limits, addresses."""

import re

import pytest

from bessemer.store.database import Database
from fakes.api_client import ApiClient, exchange
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock

REQUEST_ID = re.compile(r"req-[0-9a-f-]{36}")


async def test_every_answer_says_the_versions_and_names_the_request(client: ApiClient) -> None:
    for reply in (await client.at("1.34").get("/v1/nodes"), await client.at("1.34").get("/v1/nodes/none")):
        assert reply.headers["x-openstack-ironic-api-version"] == "1.34"
        assert reply.headers["x-openstack-ironic-api-minimum-version"] == "1.1"
        assert reply.headers["x-openstack-ironic-api-maximum-version"] == "1.115"
        assert REQUEST_ID.fullmatch(reply.headers["openstack-request-id"])
        assert reply.headers["x-openstack-request-id"] == reply.headers["openstack-request-id"]


async def test_a_version_that_is_not_served_is_refused_so_that_clients_can_negotiate(
    client: ApiClient,
) -> None:
    reply = await client.at("1.999").get("/v1/nodes")
    assert reply.status == 406
    assert reply.error["code"] == 406
    assert reply.headers["x-openstack-ironic-api-maximum-version"] == "1.115"
    assert "x-openstack-ironic-api-version" not in reply.headers


async def test_a_version_that_cannot_be_read_is_refused_without_the_range(client: ApiClient) -> None:
    reply = await client.at("x").get("/v1/nodes")
    assert reply.status == 406
    assert "x-openstack-ironic-api-maximum-version" not in reply.headers


async def test_the_root_and_the_version_document_tell_what_there_is(client: ApiClient) -> None:
    root = (await client.get("/")).json
    assert root["default_version"] == root["versions"][0]
    assert root["default_version"]["min_version"] == "1.1"
    assert root["default_version"]["version"] == "1.115"
    assert root["default_version"]["links"] == [{"href": "http://api.test/v1/", "rel": "self"}]
    v1 = (await client.get("/v1")).json
    assert v1["id"] == "v1"
    assert v1["nodes"][0]["href"] == "http://api.test/v1/nodes/"
    assert "lookup" in v1
    assert "lookup" not in (await client.at("1.21").get("/v1/")).json


@pytest.mark.parametrize("path", ["/v1/nodes", "/v1/nodes/", "/nodes"])
async def test_the_version_in_the_path_and_a_final_slash_may_be_left_out(
    client: ApiClient, path: str
) -> None:
    assert (await client.get(path)).json == {"nodes": []}


async def test_unknown_paths_and_methods_have_the_form_of_routing_errors(client: ApiClient) -> None:
    missing = await client.get("/v1/tags")
    assert (missing.status, missing.error["title"]) == (404, "Not Found")
    for method, path in (
        ("PUT", "/v1/nodes"),
        ("HEAD", "/v1/nodes"),
        ("POST", "/v1"),
        ("GET", "/v1/nodes/x/states/power"),
    ):
        assert (await client.call(method, path)).status == 405
    assert (await client.call("OPTIONS", "/v1/nodes")).status == 200


@pytest.mark.parametrize("content", [b"{", b"nope", b"\xff\xfe", b'{"driver": NaN}'])
async def test_a_body_that_is_not_json_is_the_clients_mistake(client: ApiClient, content: bytes) -> None:
    reply = await client.call("POST", "/v1/nodes", content)
    assert (reply.status, reply.error["faultcode"]) == (400, "Client")


async def test_bodies_are_bounded_in_size_and_depth(database: Database, clock: FakeClock) -> None:
    world = await make_world(database, clock, settings=quick_settings(api={"max_json_body_size": 1}))
    large = await world.client.call("POST", "/v1/nodes", b'{"driver": "' + b"x" * 2000 + b'"}')
    assert (large.status, large.json["faultcode"]) == (413, "Client")
    deep = await world.client.call("POST", "/v1/nodes", b"[" * 26 + b"]" * 26)
    assert (deep.status, deep.json["faultcode"]) == (400, "Client")
    provision = await world.client.call(
        "PUT", "/v1/nodes/x/states/provision", b'{"target": "' + b"x" * 2000 + b'"}'
    )
    assert provision.status == 404  # a larger bound: config drives travel there


async def test_links_start_where_the_client_reached_us_or_where_the_operator_says(
    world: World, database: Database, clock: FakeClock
) -> None:
    node = await world.add_node()
    assert node["links"][0]["href"] == f"http://api.test/v1/nodes/{node['uuid']}"
    hostile = await exchange(world.app, "GET", "/v1", b"", {"host": 'evil"><x'})
    assert hostile.json["nodes"][0]["href"] == "http://127.0.0.1:6385/v1/nodes/"
    public = await make_world(
        database, clock, settings=quick_settings(api={"public_endpoint": "https://metal.example/"})
    )
    assert (await public.client.get("/v1")).json["nodes"][0]["href"] == "https://metal.example/v1/nodes/"


async def test_a_json_suffix_is_dropped_for_older_clients_that_state_their_version(world: World) -> None:
    node = await world.add_node(name="plain")
    await world.add_node(name="odd.json")
    for path in (f"/v1/nodes/{node['uuid']}.json", "/v1/nodes/plain.json", "/v1/nodes.json"):
        assert (await world.client.at("1.90").get(path)).status == 200
        assert (await world.client.at("1.91").get(path)).status == 404
    assert (await world.client.at(None).get(f"/v1/nodes/{node['uuid']}.json")).status == 404
    assert (await world.client.at("1.90").get("/v1/nodes/odd.json")).json["name"] == "odd.json"


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_not_answered(world: World) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/nodes", "query_string": b"", "scheme": "http",
        "headers": [], "client": None, "server": ("127.0.0.1", 6385),
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert sent == []


async def test_a_defect_of_ours_shows_nothing_of_itself(world: World) -> None:
    class Broken:
        async def get(self, *_: object) -> object:
            raise RuntimeError("secret-detail")

    from bessemer.api.v1.application import V1
    from bessemer.api.v1.resource.node import NodeApi

    api = NodeApi(world.services, world.settings.api)
    api._nodes = Broken()  # type: ignore[assignment]
    reply = await ApiClient(V1(api.routes(), world.settings.api)).get("/v1/nodes/x")
    assert (reply.status, reply.error["faultcode"]) == (500, "Server")
    assert b"secret-detail" not in reply.body
