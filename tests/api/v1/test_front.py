"""What stands before the calls: health, proxies, web pages of other origins, the newest version, errors as
text."""

from typing import Any

import pytest

from bessemer.api.v1.version import MAX
from bessemer.config.load import BadSettings
from fakes.api_client import ApiClient
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock


async def make(database: Any, clock: Any, **sections: Any) -> ApiClient:
    return (await make_world(database, clock, settings=quick_settings(**sections))).client


# ---------------------------------------------------------------------- health


@pytest.fixture(params=["sqlite", "postgresql"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_healthy_service_says_ok_to_anybody(world: World) -> None:
    reply = await world.client.at(None).get("/healthcheck")
    assert (reply.status, reply.body) == (200, b"OK")
    assert reply.headers["content-type"].startswith("text/plain")
    as_json = await world.client.get("/healthcheck?conductor", accept="application/json")
    assert (as_json.status, as_json.json) == (200, {"reasons": ["OK"]})


async def test_without_a_live_conductor_only_those_who_ask_are_told(database: Any, clock: FakeClock) -> None:
    client = (await make_world(database, clock, groups={})).client
    assert (await client.get("/healthcheck")).status == 200
    reply = await client.get("/healthcheck?conductor")
    assert (reply.status, reply.body) == (503, b"No conductor is alive.")
    assert "retry-after" in reply.headers


async def test_the_check_can_be_switched_off(database: Any, clock: Any) -> None:
    client = await make(database, clock, healthcheck={"enabled": False})
    assert (await client.get("/healthcheck")).status == 404


# ---------------------------------------------------------------------- proxies

FORWARDED = {
    "x-forwarded-proto": "https", "x-forwarded-host": "cloud.test, inner", "x-forwarded-prefix": "/baremetal",
    "x-forwarded-for": "203.0.113.7, 198.51.100.4",
}  # fmt: skip


async def self_link(client: ApiClient, **headers: str) -> str:
    reply = await client.call("GET", "/v1", headers=headers)
    assert reply.status == 200, reply.body
    return str(reply.json["links"][0]["href"])


async def test_links_go_through_the_proxy_that_is_believed(database: Any, clock: Any, capsys: Any) -> None:
    client = await make(database, clock, oslo_middleware={"enable_proxy_headers_parsing": True})
    assert await self_link(client, **FORWARDED) == "https://cloud.test/baremetal/v1/"
    await client.call("POST", "/v1/nodes", {"driver": "zork"}, headers=FORWARDED)
    assert "198.51.100.4" in capsys.readouterr().out, "the address that the nearest proxy saw is logged"


async def test_nobody_else_is_believed(database: Any, clock: Any) -> None:
    client = await make(database, clock)
    assert await self_link(client, **FORWARDED) == "http://api.test/v1/"


@pytest.mark.parametrize(
    "header",
    [
        {"x-forwarded-proto": "javascript"}, {"x-forwarded-host": "evil\"><x"}, {"x-forwarded-host": "a b"},
        {"x-forwarded-prefix": "//evil.test"}, {"x-forwarded-prefix": "/a/b?x"}, {"x-forwarded-for": "zork"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_a_proxy_cannot_have_meant_is_not_taken_over(
    database: Any, clock: Any, header: dict[str, str]
) -> None:
    client = await make(database, clock, oslo_middleware={"enable_proxy_headers_parsing": True})
    link = await self_link(client, **header)
    assert link in ("http://api.test/v1/", "http://127.0.0.1:6385/v1/")


# ---------------------------------------------------------------------- web pages of other origins

PREFLIGHT = {
    "origin": "https://console.test",
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "x-auth-token",
}


async def test_scripts_of_other_origins_are_kept_out_unless_allowed(database: Any, clock: Any) -> None:
    closed = await make(database, clock)
    reply = await closed.call("OPTIONS", "/v1/nodes", headers=PREFLIGHT)
    assert not [name for name in reply.headers if name.startswith("access-control")]
    opened = await make(database, clock, cors={"allowed_origin": ["https://console.test"]})
    reply = await opened.call("OPTIONS", "/v1/nodes", headers=PREFLIGHT)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "https://console.test"
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    reply = await opened.call("GET", "/v1/nodes", headers={"origin": "https://console.test"})
    assert reply.headers["access-control-allow-origin"] == "https://console.test"
    assert "OpenStack-Request-Id" in reply.headers["access-control-expose-headers"]
    stranger = {**PREFLIGHT, "origin": "https://evil.test"}
    reply = await opened.call("OPTIONS", "/v1/nodes", headers=stranger)
    assert "access-control-allow-origin" not in reply.headers


# ---------------------------------------------------------------------- the newest version


@pytest.mark.parametrize(
    ("release", "newest"),
    [("32.0", 101), ("32.0.1", 101), ("31.0", 99), ("2025.2", 101), ("Zed", 80), ("0.1", MAX)],
)
async def test_a_release_caps_the_versions_served(
    database: Any, clock: Any, release: str, newest: int
) -> None:
    client = await make(database, clock, default={"pin_release_version": release})
    reply = await client.at("latest").get("/v1")
    assert reply.headers["x-openstack-ironic-api-maximum-version"] == f"1.{newest}"
    assert reply.headers["x-openstack-ironic-api-version"] == f"1.{newest}"
    assert reply.json["version"]["version"] == f"1.{newest}"
    assert (await client.at(f"1.{newest}").get("/v1/nodes")).status == 200
    refused = await client.at(f"1.{newest + 1}").get("/v1/nodes")
    assert refused.status == 406
    assert refused.headers["x-openstack-ironic-api-maximum-version"] == f"1.{newest}"


@pytest.mark.parametrize("release", ["3.0", "zork", "", "1.56.0.1", "0.99"])
async def test_a_release_that_is_none_is_refused_at_start(database: Any, clock: Any, release: str) -> None:
    with pytest.raises(BadSettings, match="pin_release_version"):
        await make(database, clock, default={"pin_release_version": release})


# ---------------------------------------------------------------------- errors as text


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain", "text/plain; charset=utf-8"), ("application/xml", "text/plain; charset=utf-8"),
        ("text/html,*/*;q=0.1", "application/json"), ("application/json", "application/json"),
        ("image/png", "application/json"),
    ],
)  # fmt: skip
async def test_clients_that_want_no_json_get_the_mere_text_of_an_error(
    world: World, accept: str, kind: str
) -> None:
    for path, words in (("/v1/nodes/none", "could not be found"), ("/v1/zork", "nothing at this address")):
        reply = await world.client.get(path, accept=accept)
        assert (reply.status, reply.headers["content-type"]) == (404, kind)
        assert words in (reply.body.decode() if kind.startswith("text") else reply.message)


# ---------------------------------------------------------------------- lists from a name on


async def test_a_list_of_runbooks_goes_on_behind_a_name(world: World) -> None:
    step = {"interface": "bios", "step": "reset", "args": {}, "order": 1}
    for name in ("CUSTOM_A", "CUSTOM_B"):
        reply = await world.client.post("/v1/runbooks", {"name": name, "steps": [step]})
        assert reply.status == 201, reply.body
    found = (await world.client.get("/v1/runbooks?marker=CUSTOM_A")).json["runbooks"]
    assert [runbook["name"] for runbook in found] == ["CUSTOM_B"]
    assert (await world.client.get("/v1/runbooks?marker=CUSTOM_Z")).status == 404


# ---------------------------------------------------------------------- what must not be shown


async def test_the_login_of_a_medium_is_kept_nowhere(world: World) -> None:
    node = await world.add_node(name="n1")
    body = {"device_type": "cdrom", "image_url": "https://user:hush-hush@images.test/a.iso"}
    assert (await world.client.post("/v1/nodes/n1/vmedia", body)).status == 204
    assert b"hush" not in (await world.client.get("/v1/nodes/n1")).body
    assert "hush" not in str((await world.node(node["uuid"])).driver_internal_info)


async def test_network_data_that_would_fail_on_the_machine_is_refused(world: World) -> None:
    link = {"id": "nic0", "type": "phy", "ethernet_mac_address": "aa:bb:cc:00:11:22"}
    network = {"id": "net0", "type": "ipv4_dhcp", "link": "nic9", "network_id": "n"}
    body = {
        "driver": "fake-hardware",
        "network_data": {"links": [link], "networks": [network], "services": []},
    }
    reply = await world.client.post("/v1/nodes", body)
    assert reply.status == 400
    assert "nic9" in reply.message
