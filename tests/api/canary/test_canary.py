"""A known secret is put wherever one can be given; then answers, log and database are searched for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from bessemer.api.app import create_app
from bessemer.domain.provision import ProvisionState
from bessemer.hardware.redfish.access import PROPERTIES as REDFISH
from bessemer.kernel.clock import SystemClock
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.secret import is_secret
from bessemer.service.audit import AuditTrail
from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.api_world import World, answering, make_world
from fakes.canary import CANARY, WATCH
from fixture_database import PostgresqlServer

LOGIN = f"https://user:{CANARY}@images.test/image.qcow2"
DRIVER_INFO = {
    **{key: CANARY for key in REDFISH if is_secret(key)},
    **dict.fromkeys(
        ("ipmi_password", "snmp_community", "snmp_auth_key", "snmp_priv_key", "ilo_password", "drac_password",
         "agent_secret_token", "Admin_Password", "my_PASSPHRASE", "api_key", "private_key_content"), CANARY,
    ),
    "deploy_iso": LOGIN,
    "deep": {"list": [{"password": CANARY}, LOGIN], "headers": {"Authorization": CANARY, "Cookie": CANARY}},
    "pairs": [{"name": "AdminPassword", "value": CANARY}],
    "number_password": [1, CANARY, {"x": CANARY}],
}  # fmt: skip
INSTANCE_INFO = {
    "image_source": LOGIN,
    "image_url": f"https://swift.test/x?sig={CANARY}",
    "image_proxy_password": CANARY,
    "configdrive": {"user_data": CANARY, "meta_data": {"admin_pass": CANARY}},
    "nested": {"credentials": {"x": CANARY}, "auth_token": CANARY},
}
PAIRS = [{"name": "AdminPassword", "value": CANARY}]
STEP = {
    "interface": "bios",
    "step": "apply_configuration",
    "args": {"settings": PAIRS, "password": CANARY},
}


@pytest_asyncio.fixture
async def world(database: Database) -> AsyncIterator[World]:
    world = await make_world(database, SystemClock())
    trail = AuditTrail(database)
    world.client = ApiClient(create_app(world.services, world.settings, audit=trail))
    async with answering(world):
        yield world
    await trail.chain_waiting()


async def plant(world: World) -> str:
    """Everything that can be given, given; the UUID of the node."""
    client = world.client
    node = await world.add_node(name="n1", driver_info=DRIVER_INFO, instance_info=INSTANCE_INFO)
    uuid = str(node["uuid"])
    await world.put_node(
        uuid,
        driver_internal_info={"agent_secret_token": CANARY, "boot_key": CANARY, "deep": {"password": CANARY}},
        clean_step=STEP, deploy_step=STEP, service_step=STEP, provision_state=ProvisionState.AVAILABLE,
    )  # fmt: skip
    made = [
        await client.post("/v1/volume/targets", {
            "node_uuid": uuid, "volume_type": "iscsi", "boot_index": 0, "volume_id": "v",
            "properties": {"auth_password": CANARY, "discovery_auth_password": CANARY, "portal": LOGIN},
        }),
        await client.post("/v1/deploy_templates", {"name": "CUSTOM_T", "steps": [{**STEP, "priority": 1}]}),
        await client.post("/v1/runbooks", {"name": "CUSTOM_R", "steps": [{**STEP, "order": 1}]}),
        await client.post("/v1/inspection_rules", {
            "sensitive": True, "actions": [{"op": "fail", "args": {"msg": CANARY}}],
            "conditions": [{"op": "eq", "args": {"values": ["{node.uuid}", CANARY]}}],
        }),
        await client.post("/v1/inspection_rules", {
            "actions": [{"op": "set-attribute", "args": {"path": "/driver_info/password", "value": CANARY}}],
        }),
    ]  # fmt: skip
    assert [reply.status for reply in made] == [201] * len(made), [reply.body for reply in made]
    await ask_everything(world, uuid)
    return uuid


async def ask_everything(world: World, uuid: str) -> None:
    """Requests that bring a secret along, right ones and wrong ones."""
    client, one = world.client, f"/v1/nodes/{uuid}"
    patch = [{"op": "replace", "path": "/driver_info/redfish_password", "value": CANARY}]
    wrong = [{"op": "add", "path": "/driver_info/redfish_password/x", "value": CANARY}]
    await client.patch(one, patch)
    await client.patch(one, wrong)
    await client.patch(one, [{"op": "nonsense", "path": "/driver_info/password", "value": CANARY}])
    await client.patch(
        one, [{"op": "test", "path": "/driver_info/redfish_password", "value": f"not {CANARY}"}]
    )
    await client.post("/v1/nodes", {"driver": "none", "driver_info": DRIVER_INFO})
    await client.post("/v1/nodes", {"driver": "redfish", "name": "n2", "driver_info": DRIVER_INFO})
    await client.get("/v1/nodes/n2/validate")
    await client.put("/v1/nodes/n2/states/power", {"target": "power on"})
    await client.put(f"{one}/vmedia", {"device_type": "cdrom", "image_url": LOGIN})
    await client.post(f"{one}/vmedia", {"device_type": "cdrom", "image_url": LOGIN})
    await client.post(f"{one}/vmedia", {"device_type": "nonsense", "image_url": LOGIN})
    for method in ("first_method", "second_method", "no_such_method"):
        body = {"password": CANARY, "http_headers": {"cookie": CANARY}}
        await client.post(f"{one}/vendor_passthru?method={method}", body)
    provision = f"{one}/states/provision"
    steps = [{**STEP, "priority": 1}]
    drive = {"user_data": CANARY}
    await client.put(provision, {"target": "active", "configdrive": drive, "deploy_steps": steps})
    await client.put(provision, {"target": "active", "configdrive": f"http://u:{CANARY}@h/x"})
    await client.put(provision, {"target": "active", "configdrive": {"nonsense": CANARY}})
    await client.put(provision, {"target": "rescue", "rescue_password": CANARY})
    await world.put_node(uuid, provision_state=ProvisionState.ACTIVE)
    await client.put(provision, {"target": "rescue", "rescue_password": CANARY})
    await world.put_node(uuid, provision_state=ProvisionState.MANAGEABLE)
    await client.put(provision, {"target": "clean", "clean_steps": [STEP]})
    await world.put_node(uuid, provision_state=ProvisionState.CLEAN_WAIT)
    beat = {"callback_url": "https://192.0.2.1:9999", "agent_token": CANARY, "agent_version": "1"}
    await client.post(f"/v1/heartbeat/{uuid}", beat)
    await client.post(f"/v1/heartbeat/{uuid}", {**beat, "agent_token": f"{CANARY}x"})
    await client.get(f"/v1/nodes?password={CANARY}")
    await client.get("/v1/nodes", **{"X-Auth-Token": CANARY})
    await client.call(
        "POST", "/v1/nodes", b'{"driver": "x", "driver_info": {"password": "' + CANARY.encode() + b'"'
    )


async def read_everything(world: World, uuid: str) -> int:
    """Every GET there is, in old and new versions; how many gave something."""
    count = 0
    fill = {"node": uuid, "driver": "fake-hardware", "trait": "CUSTOM_X"}
    for kind, path in (("volume target", "volume/targets"), ("deploy template", "deploy_templates"),
                       ("runbook", "runbooks"), ("inspection rule", "inspection_rules")):  # fmt: skip
        wrapper = path.rpartition("/")[2]
        fill[kind] = (await world.client.get(f"/v1/{path}")).json[wrapper][0]["uuid"]
    for route in world.routes:
        if route.method != "GET" or "lookup" in route.path:
            continue
        path = route.path
        for name, value in fill.items():
            path = path.replace("{" + name + "}", value)
        if "{" in path:
            path = path.partition("{")[0] + new_uuid()
        for version in ("1.115", "1.61", "1.1"):
            for query in ("", "?detail=True"):
                reply = await world.client.at(version).get(f"/v1{path}{query}")
                count += reply.status == 200
    for node in (uuid, "n2"):
        await world.client.get(f"/v1/nodes/{node}/validate")
        await world.client.get(f"/v2/nodes/{node}/operations")
    return count


async def test_no_answer_and_no_line_of_the_log_holds_what_was_planted(world: World) -> None:
    uuid = await plant(world)
    assert await read_everything(world, uuid) > 80
    assert (await world.node(uuid)).driver_info["redfish_password"] == CANARY
    assert not WATCH.sightings


async def test_the_database_does_not_hold_it_in_clear(
    world: World, database_url: str, family: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await plant(world)
    dump = await dumped(database_url, family, tmp_path, request)
    assert b"CUSTOM_R" in dump
    assert b"sealed:1:" in dump
    place = dump.find(CANARY.encode())
    assert place < 0, dump[max(0, place - 300) : place + 60]


async def dumped(url: str, family: str, tmp_path: Path, request: pytest.FixtureRequest) -> bytes:
    """Everything that lies in the database: its file with the log beside it, or what pg_dump writes."""
    if family == "sqlite":
        path = Path(url.removeprefix("sqlite:///").partition("?")[0])
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.run("pg_dump", "-d", url).encode()


# ---------------------------------------------------------------------- the canary itself


async def test_the_canary_sings_when_an_answer_holds_a_secret() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    await ApiClient(app).post("/v1/nodes", {"driver_info": {"redfish_password": "sesame-opens"}})
    assert "sesame-opens" in WATCH.sightings[0]
    assert "answer to POST /v1/nodes" in WATCH.sightings[0]
    WATCH.begin()


def test_the_canary_sings_when_a_secret_is_logged() -> None:
    structlog.get_logger().info("logging in", password=CANARY)
    assert "the log" in WATCH.sightings[0]
    WATCH.begin()
