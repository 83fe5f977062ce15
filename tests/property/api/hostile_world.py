"""A service with nodes in different states and secrets in every place that may hold one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Route as PlainRoute

from bessemer.domain.provision import ProvisionState, is_settled
from fakes.live_process import LiveProcess, live_process
from property.api.hostile_request import Address
from property.api.hostile_value import MAC, NAMES, UUID, WAITING_MAC

#: Part of every secret that is planted here.
SECRET = "hush-hush-hush"
_DRIVER_INFO = {
    "redfish_password": f"{SECRET} 1",
    "ipmi_password": f"{SECRET} 2",
    "snmp_auth_key": f"{SECRET} 3",
    "deeper": {"password": f"{SECRET} 4"},
}
_DRIVE = {"meta_data": {"hostname": f"{SECRET} 5"}, "user_data": f"{SECRET} 6"}
_TARGET = {
    "volume_type": "iscsi",
    "boot_index": 0,
    "volume_id": "v",
    "properties": {"auth_password": f"{SECRET} 7"},
}
_RULE = {"sensitive": True, "actions": [{"op": "fail", "args": {"msg": f"{SECRET} 8"}}]}
_STEPS = [{"interface": "bios", "step": "factory_reset", "args": {}, "priority": 1}]
#: What is asked of each node, one after the other, to bring it where it is.
_LIVES: dict[str, tuple[dict[str, Any], ...]] = {
    "n-enroll": (),
    "n-manageable": ({"target": "manage"},),
    "n-available": ({"target": "manage"}, {"target": "provide"}),
    "n-active": (
        {"target": "manage"},
        {"target": "provide"},
        {"target": "active", "configdrive": _DRIVE},
        {"target": "rescue", "rescue_password": f"{SECRET} 9"},
        {"target": "unrescue"},
    ),
    "n-failed": (
        {"target": "manage"},
        {"target": "clean", "clean_steps": [{"interface": "deploy", "step": "polish"}]},
    ),
    "n-waiting": (
        {"target": "manage"},
        {"target": "clean", "clean_steps": [{"interface": "deploy", "step": "wait"}]},
    ),
}


@dataclass(frozen=True)
class HostileWorld:
    """``secrets`` are what no answer and no line of the log may hold."""

    live: LiveProcess
    secrets: tuple[str, ...]


@asynccontextmanager
async def hostile_world(directory: Path, template: Path | None = None) -> AsyncIterator[HostileWorld]:
    async with live_process(directory, template=template) as live:
        await _post(live, "chassis", uuid=UUID)
        await _post(live, "nodes", uuid=UUID, name=NAMES[0], driver="fake-hardware", driver_info=_DRIVER_INFO)
        for name in NAMES[1:-1]:
            info = {"image_url": f"http://user:{SECRET}@images.test/"}
            node = {"driver": "fake-hardware", "driver_info": _DRIVER_INFO, "instance_info": info}
            await _post(live, "nodes", name=name, resource_class="gold", **node)
        await _post(live, "nodes", name=NAMES[-1], driver="redfish", driver_info=_DRIVER_INFO)
        await _surround(live)
        for name, requests in _LIVES.items():
            for request in requests:
                reply = await live.client.put(f"/v1/nodes/{name}/states/provision", request)
                assert reply.status == 202, (name, request, reply.body)
                await live.settled(name)
        yield HostileWorld(live, (SECRET, await _agent_token(live)))


async def _agent_token(live: LiveProcess) -> str:
    """What the agent of the waiting node is told at its first lookup, and nobody ever again."""
    node = (await live.client.get("/v1/nodes/n-waiting")).json["uuid"]
    await _post(live, "ports", address=WAITING_MAC, node_uuid=node)
    reply = await live.client.get(f"/v1/lookup?addresses={WAITING_MAC}")
    token: str = reply.json["config"]["agent_token"]
    assert len(token) > 16
    return token


async def _surround(live: LiveProcess) -> None:
    """One of each resource, all with the same UUID."""
    mine = {"uuid": UUID, "node_uuid": UUID}
    await _post(live, "ports", address=MAC, **mine)
    await _post(live, "portgroups", **mine)
    await _post(live, "volume/connectors", type="iqn", connector_id="c", **mine)
    await _post(live, "volume/targets", **mine, **_TARGET)
    await _post(live, "deploy_templates", uuid=UUID, name="CUSTOM_A", steps=_STEPS)
    steps = [{"interface": "bios", "step": "factory_reset", "args": {}, "order": 1}]
    await _post(live, "runbooks", uuid=UUID, name="CUSTOM_A", steps=steps)
    await _post(live, "inspection_rules", uuid=UUID, **_RULE)
    await _post(live, "allocations", uuid=UUID, name="given", resource_class="gold")


async def _post(live: LiveProcess, path: str, **body: Any) -> None:
    reply = await live.client.post(f"/v1/{path}", body)
    assert reply.status == 201, (path, reply.body)


def addresses(live: LiveProcess) -> list[Address]:
    """Every call there is: of v1, v2, and of ramdisks and BMCs."""
    found = [Address(route.method, _whole(route.path), route) for route in live.v1_routes]
    for route in live.process.routes:
        assert isinstance(route, PlainRoute), f"{route} is no route; teach this walk about it"
        found += [Address(method, route.path) for method in sorted(route.methods or ())]
    return found


def _whole(path: str) -> str:
    return path if path in ("/", "/v1") else f"/v1{path}"


async def check_nothing_is_stuck(live: LiveProcess) -> None:
    """Raises AssertionError when a node is on its way somewhere and no operation takes it there."""
    nodes = (await live.client.get("/v1/nodes?fields=uuid&include_children=true&limit=1000")).json["nodes"]
    for uuid in [node["uuid"] for node in nodes]:
        node = await live.settled(uuid)
        state = ProvisionState(node["provision_state"])
        if is_settled(state):
            continue
        unfinished = [one["state"] for one in await live.operations(uuid) if one["finished_at"] is None]
        assert unfinished, f"{uuid} is in '{state}' and nothing works on it: {node['last_error']}"
