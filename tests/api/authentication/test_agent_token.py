"""What an agent's token opens: the heartbeat of its own node, and nothing else."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio

from bessemer.api.app import create_app
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.api.authentication.public import is_public
from bessemer.domain.provision import ProvisionState
from bessemer.policy.policy import Policy
from bessemer.service.caller import Caller
from bessemer.store.database import Database
from fakes.api_client import ApiClient, Reply
from fakes.api_world import World, make_world
from fakes.clock import FakeClock

TOKEN = "t" * 43
URL = "https://192.0.2.7:9999"


class Nobody:
    """Knows nobody: what is let through is open to everybody."""

    async def identify(self, proof: Proof) -> Caller:
        raise Denial(401, "who are you?")

    async def close(self) -> None:
        return None


@pytest.fixture
def family() -> str:
    return "sqlite"


@pytest_asyncio.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await make_world(database, clock)


@pytest.fixture
def strangers(world: World) -> ApiClient:
    """The same service, as strangers find it."""
    policy = Policy.of(world.settings)
    return ApiClient(create_app(world.services, world.settings, authentication=Nobody(), policy=policy))


async def expecting(world: World, name: str, token: str) -> str:
    uuid = str((await world.add_node(name=name))["uuid"])
    facts = {"agent_secret_token": token}
    await world.put_node(uuid, provision_state=ProvisionState.DEPLOY_WAIT, driver_internal_info=facts)
    return uuid


async def beat(client: ApiClient, node: str, token: str | None) -> Reply:
    body: dict[str, Any] = {"callback_url": URL, "agent_version": "11.0"}
    return await client.post(f"/v1/heartbeat/{node}", body | ({"agent_token": token} if token else {}))


async def test_it_opens_the_heartbeat_of_its_node_and_of_no_other(world: World, strangers: ApiClient) -> None:
    mine, other = await expecting(world, "mine", TOKEN), await expecting(world, "other", "u" * 43)
    assert (await beat(strangers, mine, TOKEN)).status == 202
    assert (await beat(strangers, other, TOKEN)).status == 400
    assert (await beat(strangers, mine, None)).status == 400
    assert "agent_url" not in (await world.node(other)).driver_internal_info


def disguises() -> list[Mapping[str, str]]:
    """Everywhere a client could put a token in the hope that somebody believes it."""
    basic = base64.b64encode(f"agent:{TOKEN}".encode()).decode()
    return [
        {},
        {"X-Auth-Token": TOKEN},
        {"X-Auth-Token": TOKEN, "X-Service-Token": TOKEN},
        {"X-Service-Token": TOKEN},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": f"Bearer {TOKEN}"},
        {"X-OpenStack-Ironic-Agent-Token": TOKEN},
    ]


async def test_it_opens_no_other_call(world: World, strangers: ApiClient) -> None:
    node = await expecting(world, "mine", TOKEN)
    closed = 0
    for route in world.routes:
        path = route.path.replace("{node}", node)
        for part in ("{", "}"):
            path = path.replace(part, "")
        path = f"/v1{path}"
        if is_public(path):
            continue
        for headers in disguises():
            body = {"agent_token": TOKEN} if route.method in ("POST", "PUT", "PATCH") else None
            reply = await strangers.call(route.method, path, body, headers=headers)
            assert reply.status == 401, (route.method, path, headers)
        closed += 1
    assert closed > 100


def test_the_calls_that_are_open_are_these(world: World) -> None:
    paths = {(route.method, route.path) for route in world.routes}
    assert {(method, path) for method, path in paths if is_public(f"/v1{path}".rstrip("/") or "/")} <= {
        ("GET", ""), ("GET", "/"), ("GET", "/v1"), ("GET", "/lookup"), ("POST", "/heartbeat/{node}"),
        ("POST", "/continue_inspection"),
    }  # fmt: skip


async def test_a_stranger_learns_nothing_of_a_node_but_what_a_lookup_tells(
    world: World, strangers: ApiClient
) -> None:
    node = await expecting(world, "mine", TOKEN)
    reply = await strangers.get(f"/v1/lookup?node_uuid={node}")
    assert reply.status == 200
    assert reply.json["config"]["agent_token"] == "******"
    assert TOKEN.encode() not in reply.body
    idle = str((await world.add_node(name="idle"))["uuid"])
    assert (await strangers.get(f"/v1/lookup?node_uuid={idle}")).status == 404
