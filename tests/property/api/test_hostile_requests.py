"""Whatever is sent to whatever route, the answer is no defect of ours, and tells no secret."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bessemer.api.v1.version import MAX
from bessemer.store.database import Database
from fakes.api_client import exchange
from fakes.api_world import World, make_world
from fakes.clock import FakeClock

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
MAC = "aa:bb:cc:00:11:22"
SECRET = "hush-hush-hush"

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from([
        UUID, MAC, "", "fake-hardware", "redfish", "n1", "CUSTOM_A", "true", "0", "power on", "manage",
        "active", "\x00", "'; DROP TABLE nodes; --", "../../etc/passwd", "a" * 5000, "%s%n", "\u202e", "-1",
        "1e9", "latest",
    ]),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
#: Members that mean something somewhere, so that requests get past the first check.
MEMBERS = st.sampled_from([
    "driver", "name", "uuid", "address", "node_uuid", "node_ident", "target", "extra", "properties",
    "driver_info", "instance_info", "chassis_uuid", "parent_node", "configdrive", "clean_steps", "timeout",
    "boot_device", "persistent", "traits", "id", "port_uuid", "callback_url", "agent_token", "agent_version",
    "agent_verify_ca", "reason", "description", "local_link_connection", "is_smartnic", "network_data",
    "conductor_group", "resource_class", "retired", "maintenance", "boot_interface", "instance_name",
    "mode", "portgroup_uuid", "standalone_ports_supported", "physical_network", "type", "connector_id",
    "volume_type", "volume_id", "boot_index", "device_type", "image_url", "events",
    "steps", "actions", "conditions", "candidate_nodes", "public", "owner", "priority", "sensitive",
])  # fmt: skip
PATHS = st.one_of(
    MEMBERS.map("/{}".format), st.tuples(MEMBERS, TEXTS).map(lambda two: f"/{two[0]}/{two[1]}"), TEXTS
)
PATCHES = st.lists(
    st.fixed_dictionaries({
        "op": st.sampled_from(["add", "replace", "remove", "test"]),
        "path": PATHS,
        "value": JSON,
    }),
    max_size=4,
)  # fmt: skip
BODIES = st.one_of(
    st.none().map(lambda _: b""),
    st.binary(max_size=40),
    st.dictionaries(MEMBERS, JSON, max_size=5).map(lambda body: json.dumps(body).encode()),
    PATCHES.map(lambda body: json.dumps(body).encode()),
    JSON.map(lambda body: json.dumps(body).encode()),
    st.integers(20, 200_000).map(lambda levels: b"[" * levels),
)
WORDS = st.sampled_from([
    "fields", "detail", "limit", "marker", "sort_key", "sort_dir", "owner", "node", "node_uuid", "addresses",
    "address", "shard", "provision_state", "associated", "conductor", "description_contains", "method",
    "type", "reset_interfaces", "parent_node", "conductor_groups", "portgroup", "fault", "zork",
    "state", "resource_class", "project", "phase",
])  # fmt: skip
QUERIES = st.one_of(
    st.just(b""),
    st.lists(st.tuples(WORDS, TEXTS), max_size=3).map(
        lambda pairs: "&".join(f"{name}={quote(text)}" for name, text in pairs).encode()
    ),
    st.binary(max_size=30),
)
VERSIONS = st.one_of(
    st.integers(1, MAX).map("1.{}".format),
    st.just("latest"),
    st.text(st.characters(max_codepoint=255), max_size=8),
)


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def world(database: Database, clock: FakeClock) -> AsyncIterator[World]:
    made = await make_world(database, clock)
    await made.client.post("/v1/chassis", {"uuid": UUID})
    await made.add_node(uuid=UUID, name="n1", driver_info={"redfish_password": SECRET})
    await made.add_port(UUID, MAC, uuid=UUID)
    login = {"auth_password": SECRET}
    for path, body in (
        ("portgroups", {}),
        ("volume/connectors", {"type": "iqn", "connector_id": "c"}),
        ("volume/targets", {"volume_type": "iscsi", "boot_index": 0, "volume_id": "v", "properties": login}),
    ):
        reply = await made.client.post(f"/v1/{path}", {"uuid": UUID, "node_uuid": UUID, **body})
        assert reply.status == 201
    yield made


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_no_request_brings_a_defect_to_light(world: World, data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(world.routes))
    parts = [
        data.draw(st.one_of(st.sampled_from([UUID, "n1", "redfish"]), TEXTS))
        if part.startswith("{")
        else part
        for part in route.path.split("/")
    ]
    path = "/v1" + "/".join(quote(part, safe="") for part in parts)
    headers = {"host": "api.test", "x-openstack-ironic-api-version": data.draw(VERSIONS)}
    reply = await exchange(
        world.app, route.method, path, data.draw(BODIES), headers, query=data.draw(QUERIES)
    )
    assert reply.status < 500, reply.body
    assert b"Traceback" not in reply.body
    assert SECRET.encode() not in reply.body
    if reply.status >= 400 and reply.status != 413:
        assert reply.json.get("error_message") or reply.json.get("faultstring")
