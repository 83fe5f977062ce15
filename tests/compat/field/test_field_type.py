"""Every field of every resource has the JSON type that typed clients were compiled for (``field.toml``)."""

import asyncio
import json
import re
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from fakes.live_process import LiveProcess, live_process

TABLE: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("field.toml").read_text())
MAC, GROUP_MAC = "52:54:00:00:09:01", "52:54:00:00:09:02"
STEP = {"interface": "bios", "step": "factory_reset", "args": {}}
DISKS = {"logical_disks": [{"size_gb": 1, "raid_level": "1"}]}
NETWORK: dict[str, Any] = {"links": [], "networks": [], "services": []}
#: Fields that stay null here: what nobody has authenticated, asked for at this moment, or made of steel.
ALWAYS_NULL = {
    ("node", "target_power_state"), ("node", "reservation"), ("node_states", "target_power_state"),
    ("node", "inspection_started_at"),
    ("history_event", "user"), ("history_event", "project"), ("history_event", "duration_seconds"),
    ("bios_setting", "min_length"), ("bios_setting", "max_length"), ("bios_setting", "updated_at"),
    ("firmware_component", "last_version_flashed"), ("firmware_component", "vendor"),
    ("firmware_component", "model"), ("firmware_component", "serial_number"),
    ("firmware_component", "updated_at"),
}  # fmt: skip


def _is_link(value: Any) -> bool:
    return isinstance(value, dict) and {"href", "rel"} <= value.keys()


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and str(UUID(value)) == value


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00")
FITS: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "uuid": _is_uuid,
    "mac": lambda value: isinstance(value, str) and len(value) == 17,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "list of str": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "list of uuid": lambda value: isinstance(value, list) and all(_is_uuid(one) for one in value),
    "links": lambda value: isinstance(value, list) and value != [] and all(_is_link(one) for one in value),
    "list of links": lambda value: isinstance(value, list) and all(FITS["links"](one) for one in value),
    "timestamp": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
}


class Found:
    """All documents of every resource, as they come over the wire."""

    def __init__(self, live: LiveProcess) -> None:
        self.live = live
        self.documents: dict[str, list[dict[str, Any]]] = {resource: [] for resource in TABLE}

    async def post(self, resource: str, path: str, **body: Any) -> dict[str, Any]:
        reply = await self.live.client.post(f"/v1/{path}", body)
        assert reply.status == 201, reply.body
        made: dict[str, Any] = reply.json
        self.documents[resource].append(made)
        return made

    async def get(self, resource: str, path: str) -> dict[str, Any]:
        reply = await self.live.client.get(f"/v1/{path}")
        assert reply.status == 200, reply.body
        found: dict[str, Any] = json.loads(reply.body)
        self.documents[resource].append(found)
        return found

    async def list(self, resource: str, path: str, wrapper: str) -> None:
        reply = await self.live.client.get(f"/v1/{path}")
        assert reply.status == 200, reply.body
        self.documents[resource] += reply.json[wrapper]

    async def patch(self, resource: str, path: str, **values: Any) -> None:
        ops = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
        reply = await self.live.client.patch(f"/v1/{path}", ops)
        assert reply.status == 200, reply.body
        self.documents[resource].append(reply.json)

    async def do(self, method: str, path: str, body: Any = None) -> None:
        reply = await self.live.client.call(method, f"/v1/{path}", body)
        assert reply.status in (200, 202, 204), (path, reply.body)

    async def ask(self, node: str, target: str, **arguments: Any) -> None:
        await self.do("PUT", f"nodes/{node}/states/provision", {"target": target, **arguments})
        await self.live.settled(node)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Found]:
    faults = {"bios.factory_reset": "refused@first1"}
    async with live_process(tmp_path_factory.mktemp("field"), fake={"faults": faults}) as live:
        found = Found(live)
        await _nodes(found)
        await _around(found)
        await _catalogue(found)
        yield found


async def _nodes(found: Found) -> None:
    """One that has just been enrolled, one that has everything, one whose cleaning failed."""
    chassis = await found.post("chassis", "chassis")
    await found.patch("chassis", f"chassis/{chassis['uuid']}", description="d")
    parent = await found.post("node", "nodes", driver="fake-hardware", name="parent", owner="o")
    await found.post(
        "node", "nodes", driver="fake-hardware", name="full", parent_node=parent["uuid"], owner="o",
        lessee="l", description="d", shard="s", resource_class="gold", chassis_uuid=chassis["uuid"],
        automated_clean=True, network_data=NETWORK, properties={"cpus": 1},
    )  # fmt: skip
    await found.post("port", "ports", node_uuid=parent["uuid"], address=MAC)
    for verb in ("manage", "inspect", "provide"):
        await found.ask("full", verb)
    allocation = await found.post("allocation", "allocations", resource_class="gold", name="a", owner="o")
    await _granted(found, allocation["uuid"])
    await found.do("PUT", "nodes/full/states/raid", DISKS)
    await found.ask("full", "active", configdrive="x")
    await found.do("PUT", "nodes/full/maintenance", {"reason": "fan"})
    more = {"protected": True, "protected_reason": "p", "retired": True, "retired_reason": "r"}
    await found.patch("node", "nodes/full", instance_name="i", **more)
    await found.do("PUT", "nodes/full/states/secure_boot", {"target": "true"})
    await found.live.settled("full")
    await found.get("node", "nodes/full")
    await found.get("node_states", "nodes/full/states")
    await found.post("node", "nodes", driver="fake-hardware", name="failed")
    await found.ask("failed", "manage")
    await found.ask("failed", "clean", clean_steps=[{"interface": "bios", "step": "factory_reset"}])
    await found.get("node", "nodes/failed")
    await found.get("node_states", "nodes/failed/states")
    await found.list("node", "nodes/detail", "nodes")


async def _granted(found: Found, uuid: str) -> None:
    async with asyncio.timeout(20):
        path = f"/v1/allocations/{uuid}"
        while (await found.live.client.get(path)).json["state"] == "allocating":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await found.get("allocation", f"allocations/{uuid}")


async def _around(found: Found) -> None:
    node = (await found.live.client.get("/v1/nodes/failed")).json["uuid"]
    group = await found.post(
        "portgroup", "portgroups", node_uuid=node, name="g", address=GROUP_MAC, physical_network="n",
        category="c",
    )  # fmt: skip
    await found.patch("portgroup", "portgroups/g", extra={"a": 1})
    port = await found.post(
        "port", "ports", node_uuid=node, address="52:54:00:00:09:03", portgroup_uuid=group["uuid"],
        physical_network="n", name="p", description="d", vendor="v", category="c",
    )  # fmt: skip
    await found.patch("port", f"ports/{port['uuid']}", extra={"a": 1})
    await found.do("PUT", "nodes/failed/states/power", {"target": "power off"})
    await found.live.settled("failed")
    connector = await found.post(
        "volume_connector", "volume/connectors", node_uuid=node, type="iqn", connector_id="c"
    )
    target = await found.post(
        "volume_target", "volume/targets", node_uuid=node, volume_type="iscsi", boot_index=0, volume_id="v"
    )
    for resource, path, uuid in (
        ("volume_connector", "volume/connectors", connector["uuid"]),
        ("volume_target", "volume/targets", target["uuid"]),
    ):
        await found.patch(resource, f"{path}/{uuid}", extra={"a": 1})
    await found.get("inventory", "nodes/full/inventory")
    await found.list("bios_setting", "nodes/full/bios?detail=true", "bios")
    await found.list("firmware_component", "nodes/full/firmware?detail=true", "firmware")
    await found.list("history_event", "nodes/full/history?detail=true", "history")


async def _catalogue(found: Found) -> None:
    await found.list("driver", "drivers?detail=true", "drivers")
    await found.list("conductor", "conductors?detail=true", "conductors")
    await found.list("shard", "shards", "shards")
    await found.post(
        "deploy_template",
        "deploy_templates",
        name="CUSTOM_T",
        description="d",
        steps=[{**STEP, "priority": 1}],
    )
    await found.patch("deploy_template", "deploy_templates/CUSTOM_T", extra={"a": 1})
    await found.post("runbook", "runbooks", name="CUSTOM_R", owner="o", steps=[{**STEP, "order": 1}])
    await found.patch("runbook", "runbooks/CUSTOM_R", description="d")
    rule = await found.post(
        "inspection_rule", "inspection_rules", actions=[{"op": "fail", "args": {"msg": "m"}}]
    )
    await found.patch("inspection_rule", f"inspection_rules/{rule['uuid']}", description="d")
    refused = await found.post("allocation", "allocations", resource_class="none", traits=["CUSTOM_A"])
    await _granted(found, refused["uuid"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("resource", TABLE)
async def test_every_field_has_the_type_that_clients_expect(found: Found, resource: str) -> None:
    documents, row = found.documents[resource], TABLE[resource]
    assert documents
    for document in documents:
        assert document.keys() == row.keys()
        for name, kind in row.items():
            if document[name] is None:
                assert kind.endswith("?"), f"{name} is null"
            else:
                assert FITS[kind.removesuffix("?")](document[name]), (name, kind, document[name])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("resource", TABLE)
async def test_every_field_was_seen_with_a_value(found: Found, resource: str) -> None:
    seen = {
        name
        for document in found.documents[resource]
        for name, value in document.items()
        if value is not None
    }
    unseen = {(resource, name) for name in TABLE[resource].keys() - seen}
    assert unseen == {(of, name) for of, name in ALWAYS_NULL if of == resource}
