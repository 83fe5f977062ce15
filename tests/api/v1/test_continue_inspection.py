"""The inspection callback, as ramdisks old and new call it."""

from typing import Any

import pytest
import structlog

from bessemer.domain.operation import OperationState
from bessemer.domain.provision import ProvisionState
from bessemer.store.database import Database
from bessemer.store.inspection_report import find_report
from bessemer.store.operation import change_operation
from fakes.api_client import Reply
from fakes.api_world import World, make_world, quick_settings
from fakes.clock import FakeClock

S = ProvisionState
PATH = "/v1/continue_inspection"
MAC = "aa:bb:cc:00:11:22"
TOKEN = "t" * 43


def report(*macs: str, **more: Any) -> dict[str, Any]:
    interfaces = [{"name": "eth0", "mac_address": mac} for mac in macs or (MAC,)]
    inventory = {"interfaces": interfaces, **more.pop("inventory", {})}
    return {"inventory": inventory, "root_disk": {"name": "/dev/sda"}, **more}


async def waiting(world: World, mac: str | None = MAC, state: S = S.INSPECT_WAIT, **values: Any) -> str:
    """A node whose ramdisk was booted for inspection; its UUID."""
    node = await world.add_node(**values)
    if mac:
        await world.add_port(node["uuid"], mac)
    await world.put_node(node["uuid"], provision_state=state, driver_internal_info={"boot_key": "k"})
    return str(node["uuid"])


async def kept(world: World, uuid: str) -> Any:
    async with world.database.read() as tx:
        found = await find_report(tx, uuid)
    return found.report if found else None


async def send(world: World, body: Any, version: str = "1.84", query: str = "") -> Reply:
    return await world.client.at(version).post(PATH + query, body)


async def test_a_report_is_kept_for_the_node_with_the_port(world: World) -> None:
    uuid = await waiting(world)
    await waiting(world, "aa:bb:cc:00:11:33")
    reply = await send(world, report("ff:ff:ff:00:00:01", MAC.upper(), logs="H4sI", extra={"a": 1}))
    assert reply.status == 202, reply.body
    assert reply.json["uuid"] == reply.json["node"]["uuid"] == uuid
    assert reply.json["config"]["heartbeat_timeout"] == 300
    found = await kept(world, uuid)
    assert [i["mac_address"] for i in found.inventory["interfaces"]] == ["ff:ff:ff:00:00:01", MAC.upper()]
    assert found.plugin_data == {"root_disk": {"name": "/dev/sda"}, "extra": {"a": 1}}


async def test_a_ramdisk_of_old_is_told_the_uuid_alone(world: World) -> None:
    uuid = await waiting(world)
    reply = await send(world, report(), "1.1")
    assert (reply.status, reply.json) == (202, {"uuid": uuid})
    assert await kept(world, uuid)


@pytest.mark.parametrize("version", ["1.2", "1.22", "1.83"])
async def test_versions_between_do_not_have_the_call(world: World, version: str) -> None:
    uuid = await waiting(world)
    assert (await send(world, report(), version)).status == 404
    assert await kept(world, uuid) is None


async def test_the_uuid_in_the_query_comes_first_and_came_with_the_call(world: World) -> None:
    uuid = await waiting(world, None)
    await waiting(world)
    assert (await send(world, report(), query=f"?node_uuid={uuid}")).json["uuid"] == uuid
    assert (await send(world, report(), "1.1", f"?node_uuid={uuid}")).status == 406


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://[2001:db8::7]:8443/redfish/v1", {"bmc_v6address": "2001:DB8::7/64"}),
        ("192.0.2.7", {"bmc_address": "192.0.2.7"}),
        ("http://192.0.2.7:8000", {"bmc_address": "192.0.2.7", "bmc_v6address": "::/0"}),
    ],
)
async def test_a_node_without_ports_is_found_by_the_address_of_its_bmc(
    world: World, address: str, told: dict[str, Any]
) -> None:
    uuid = await waiting(world, None, driver_info={"redfish_address": address})
    await waiting(world, None, driver_info={"redfish_address": "https://192.0.2.8"})
    reply = await send(world, report(inventory=told))
    assert (reply.status, reply.json["uuid"]) == (202, uuid)


async def test_a_report_that_fits_two_nodes_fits_none(world: World) -> None:
    one, other = await waiting(world), await waiting(world, "aa:bb:cc:00:11:33")
    assert (await send(world, report(MAC, "aa:bb:cc:00:11:33"))).status == 404
    assert (await kept(world, one), await kept(world, other)) == (None, None)


@pytest.mark.parametrize("state", [S.MANAGEABLE, S.CLEAN_WAIT, S.INSPECT_FAILED])
async def test_nodes_that_are_not_inspected_take_no_report(world: World, state: S) -> None:
    uuid = await waiting(world, state=state)
    for query in ("", f"?node_uuid={uuid}", "?node_uuid=6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        assert (await send(world, report(), query=query)).status == 404
    assert await kept(world, uuid) is None


async def test_a_node_inspected_out_of_band_takes_no_report(world: World) -> None:
    uuid = await waiting(world)
    await world.put_node(uuid, driver_internal_info={})
    assert (await send(world, report())).status == 404


async def test_the_first_report_counts_and_the_second_is_answered_like_it(world: World) -> None:
    uuid = await waiting(world)
    for number in (1, 2):
        assert (await send(world, report(number=number))).status == 202
    assert (await kept(world, uuid)).plugin_data["number"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", None, {"inventory": {}}, {"inventory": []}, {"inventory": {"interfaces": []}},
        {"inventory": {"interfaces": "eth0"}}, {"inventory": {"interfaces": [{"name": "eth0"}]}},
        {"inventory": {"interfaces": [{"mac_address": 7}, "x", None]}}, {**report(), "error": 7},
        {**report(), "agent_token": 7},
    ],
)  # fmt: skip
async def test_what_is_no_report_is_refused(world: World, body: Any) -> None:
    uuid = await waiting(world)
    assert (await send(world, body)).status == 400
    assert await kept(world, uuid) is None


async def test_a_token_is_not_asked_for_but_has_to_be_right(world: World) -> None:
    uuid = await waiting(world)
    await world.put_node(uuid, driver_internal_info={"boot_key": "k", "agent_secret_token": TOKEN})
    with structlog.testing.capture_logs() as lines:
        assert (await send(world, report(agent_token="w" * 43))).status == 400
        assert await kept(world, uuid) is None
        reply = await send(world, report(agent_token=TOKEN))
    assert reply.status == 202
    assert reply.json["config"]["agent_token"] == "******"
    assert TOKEN not in repr(await kept(world, uuid)) + repr(lines) + reply.body.decode()


async def test_a_machine_without_a_token_is_given_one_once(world: World) -> None:
    await waiting(world)
    token = (await send(world, report())).json["config"]["agent_token"]
    assert len(token) == 43
    assert (await send(world, report())).json["config"]["agent_token"] == "******"


async def test_the_report_wakes_the_inspection_that_waits_for_it(world: World) -> None:
    uuid = await waiting(world, state=S.MANAGEABLE)
    await world.client.at("1.6").put(f"/v1/nodes/{uuid}/states/provision", {"target": "inspect"})
    (operation,) = await world.operations(uuid)
    async with world.database.write() as tx:
        await change_operation(
            tx, operation.uuid, operation.fence, state=OperationState.WAITING, wait_for="inspection",
            wake_at="2999-01-01T00:00:00.000000+00:00",
        )  # fmt: skip
    assert (await send(world, report())).status == 202
    (operation,) = await world.operations(uuid)
    assert operation.wake_at is not None
    assert operation.wake_at < "2999"


async def test_the_call_can_be_closed_and_takes_larger_bodies_than_others(
    database: Database, clock: FakeClock
) -> None:
    world = await make_world(database, clock)
    uuid = await waiting(world)
    closed = await make_world(
        database, clock, settings=quick_settings(api={"enable_ramdisk_endpoints": False})
    )
    assert (await send(closed, report())).status == 403
    assert (await send(world, report(big="x" * 15 * 2**20))).status == 202
    assert len((await kept(world, uuid)).plugin_data["big"]) == 15 * 2**20
    assert (await send(world, report(big="x" * 17 * 2**20))).status == 413
