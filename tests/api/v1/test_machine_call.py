"""Calls to machines that a conductor makes while the client waits."""

import asyncio
from typing import Any

import pytest

from bessemer.store.operation import list_operations
from fakes.api_world import World, answering, make_world, quick_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def add_node(world: World, **values: Any) -> str:
    return str((await world.add_node(name="n1", **values))["uuid"])


async def left_over(world: World) -> list[str]:
    async with world.database.read() as tx:
        return [operation.kind for operation in await list_operations(tx)]


async def test_what_was_set_is_read_back_and_no_trace_is_left(world: World) -> None:
    await add_node(world)
    path = "/v1/nodes/n1/management/boot_device"
    assert (await world.client.put(path, {"boot_device": "cdrom", "persistent": True})).status == 204
    assert (await world.client.get(path)).json == {"boot_device": "cdrom", "persistent": True}
    assert await left_over(world) == []


async def test_reads_are_answered_while_an_operation_is_at_work_and_writes_are_not(world: World) -> None:
    uuid = await add_node(world)
    assert (await world.client.put("/v1/nodes/n1/states/provision", {"target": "manage"})).status == 202
    await world.put_node(uuid, reservation="conductor-1")
    below = "/v1/nodes/n1/management"
    assert (await world.client.get(f"{below}/boot_device")).status == 200
    assert (await world.client.get("/v1/nodes/n1/validate")).status == 200
    assert (await world.client.put(f"{below}/boot_device", {"boot_device": "pxe"})).status == 409
    assert (await world.client.put(f"{below}/inject_nmi", {})).status == 409
    assert await left_over(world) == ["verify"]


@pytest.mark.parametrize(
    ("fault", "status"), [("refused", 502), ("unreachable", 502), ("unsupported", 400), ("bug", 500)], ids=str
)
async def test_a_machine_s_refusal_comes_back_with_its_status(
    database: Any, clock: Any, fault: str, status: int
) -> None:
    settings = quick_settings(fake={"faults": {"management.get_boot_device": fault}})
    world = await make_world(database, clock, settings=settings)
    async with answering(world):
        await add_node(world)
        reply = await world.client.get("/v1/nodes/n1/management/boot_device")
        assert reply.status == status, reply.body
        assert "get_boot_device" in reply.message or status == 500
        assert await left_over(world) == []


async def test_without_a_live_conductor_a_call_is_refused_at_once(database: Any, clock: Any) -> None:
    world = await make_world(database, clock, groups={"elsewhere": "lab"})
    await add_node(world)
    reply = await world.client.get("/v1/nodes/n1/management/boot_device")
    assert reply.status == 503
    assert "retry-after" in reply.headers
    assert await left_over(world) == []


async def test_many_calls_at_once_are_all_answered(world: World) -> None:
    await add_node(world)
    replies = await asyncio.gather(
        *(world.client.get("/v1/nodes/n1/management/boot_device/supported") for _ in range(30))
    )
    assert {reply.status for reply in replies} == {200}
    assert await left_over(world) == []


async def test_a_vendor_method_that_is_not_waited_for_becomes_an_operation(world: World) -> None:
    uuid = await add_node(world)
    reply = await world.client.post("/v1/nodes/n1/vendor_passthru/first_method", {"a": 1})
    assert (reply.status, reply.body) == (202, b"")
    (operation,) = await world.operations(uuid)
    assert operation.kind == "vendor passthru"
    assert operation.args == {"method": "first_method", "http_method": "POST", "args": {"a": 1}}
    reply = await world.client.post("/v1/nodes/n1/vendor_passthru/third_method_sync", {"a": 1})
    assert (reply.status, reply.json) == (200, {"method": "third_method_sync", "args": {"a": 1}})
