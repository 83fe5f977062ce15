"""What a node is to become besides its provision state: RAID, boot mode, secure boot, console; its lights."""

from typing import Any

import pytest

from bessemer.domain.operation import OperationState
from bessemer.store.call import find_beside
from bessemer.store.operation import change_operation
from fakes.api_world import World

RAID = {"logical_disks": [{"size_gb": 100, "raid_level": "1", "is_root_volume": True}]}
STATES = "/v1/nodes/n1/states"


async def add_node(world: World, **values: Any) -> str:
    return str((await world.add_node(name="n1", **values))["uuid"])


async def put_asleep(world: World, uuid: str) -> None:
    """As if the operation of the node waited for its agent."""
    operation = await world.active(uuid)
    assert operation is not None
    async with world.database.write() as tx:
        await change_operation(
            tx, operation.uuid, operation.fence, state=OperationState.WAITING, wait_for="agent",
            started_at=tx.now(),
        )  # fmt: skip


# ---------------------------------------------------------------------- RAID


async def test_a_raid_configuration_is_kept_shown_and_taken_back(world: World) -> None:
    await add_node(world)
    reply = await world.client.put(f"{STATES}/raid", RAID)
    assert (reply.status, reply.body) == (204, b"")
    assert (await world.client.get(STATES)).json["target_raid_config"] == RAID
    assert (await world.client.put(f"{STATES}/raid", {})).status == 204
    assert (await world.client.get(STATES)).json["target_raid_config"] == {}
    assert (await world.client.at("1.11").put(f"{STATES}/raid", RAID)).status == 406


@pytest.mark.parametrize(
    "body", [None, [], "x", {"zork": 1}, {"logical_disks": []}, {"logical_disks": [{"size_gb": 1}]}]
)
async def test_a_raid_configuration_that_cannot_be_right_is_refused(world: World, body: Any) -> None:
    await add_node(world)
    assert (await world.client.put(f"{STATES}/raid", body)).status == 400
    assert (await world.client.put("/v1/nodes/none/states/raid", RAID)).status == 404


async def test_a_node_without_raid_has_no_such_configuration(world: World) -> None:
    uuid = await add_node(world, raid_interface="no-raid")
    assert (await world.client.put(f"{STATES}/raid", RAID)).status == 404
    await world.put_node(uuid, raid_interface="fake", reservation="conductor-9")
    assert (await world.client.put(f"{STATES}/raid", RAID)).status == 409


# ---------------------------------------------------------------------- boot mode and secure boot


@pytest.mark.parametrize(
    ("what", "target", "kind", "args"),
    [
        ("boot_mode", "bios", "boot mode", {"mode": "bios"}),
        ("secure_boot", True, "secure boot", {"enabled": True}),
        ("secure_boot", "off", "secure boot", {"enabled": False}),
    ],
)
async def test_a_change_of_the_firmware_s_mode_becomes_an_operation(
    world: World, what: str, target: Any, kind: str, args: Any
) -> None:
    uuid = await add_node(world)
    path = f"{STATES}/{what}"
    assert (await world.client.at("1.75").put(path, {"target": target})).status == 404
    reply = await world.client.put(path, {"target": target})
    assert (reply.status, reply.body) == (202, b"")
    assert reply.headers["location"] == f"http://api.test{STATES}"
    (operation,) = await world.operations(uuid)
    assert (operation.kind, operation.args, operation.is_exclusive) == (kind, args, True)
    assert (await world.client.put(path, {"target": target})).status == 409


@pytest.mark.parametrize("what", ["boot_mode", "secure_boot"])
async def test_a_mode_that_cannot_be_right_is_refused(world: World, what: str) -> None:
    uuid = await add_node(world)
    path = f"{STATES}/{what}"
    for body in ({"target": "zork"}, {"target": None}, {}, {"target": []}, {"target": "uefi", "zork": 1}):
        assert (await world.client.put(path, body)).status == 400
    good = {"target": "uefi" if what == "boot_mode" else True}
    await world.put_node(uuid, provision_state="wait call-back", target_provision_state="active")
    assert (await world.client.put(path, good)).status == 409
    await world.put_node(uuid, provision_state="manageable", management_interface="noop")
    assert (await world.client.put(f"{STATES}/boot_mode", {"target": "uefi"})).status == 400
    assert await world.operations(uuid) == []


# ---------------------------------------------------------------------- console


async def test_a_console_is_asked_for_and_shown(world: World) -> None:
    uuid = await add_node(world, console_interface="fake")
    path = f"{STATES}/console"
    assert (await world.client.get(path)).json == {"console_enabled": False, "console_info": None}
    reply = await world.client.put(path, {"enabled": True})
    assert (reply.status, reply.headers["location"]) == (202, f"http://api.test{path}")
    (operation,) = await world.operations(uuid)
    assert (operation.kind, operation.args) == ("console", {"enabled": True})
    await world.put_node(uuid, console_enabled=True, driver_internal_info={"fake_console": True})
    shown = (await world.client.get(path)).json
    assert shown == {"console_enabled": True, "console_info": {"type": "fake", "url": f"fake://{uuid}"}}


async def test_a_console_that_is_so_already_is_left_alone(world: World) -> None:
    uuid = await add_node(world, console_interface="fake")
    assert (await world.client.put(f"{STATES}/console", {"enabled": False})).status == 202
    assert await world.operations(uuid) == []


async def test_a_node_without_a_console_says_so(world: World) -> None:
    await add_node(world, console_interface="no-console")
    shown = await world.client.get(f"{STATES}/console")
    assert shown.json == {"console_enabled": False, "console_info": None}
    assert (await world.client.put(f"{STATES}/console", {"enabled": True})).status == 400
    for body in ({}, {"enabled": "perhaps"}, {"enabled": None}, {"on": True}):
        assert (await world.client.put(f"{STATES}/console", body)).status == 400
    assert (await world.client.get("/v1/nodes/none/states/console")).status == 404


# ---------------------------------------------------------------------- beside work that waits


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [("power", {"target": "rebooting"}, "power"), ("console", {"enabled": True}, "console")],
)
async def test_power_and_console_work_while_other_work_waits(
    world: World, path: str, body: Any, kind: str
) -> None:
    uuid = await add_node(world, console_interface="fake")
    await world.put_node(uuid, provision_state="available")
    await world.client.put(f"{STATES}/provision", {"target": "manage"})
    await world.put_node(uuid, provision_state="enroll")
    assert (await world.client.put(f"{STATES}/provision", {"target": "manage"})).status == 202
    assert (await world.client.put(f"{STATES}/{path}", body)).status == 409, "its work is about to begin"
    await put_asleep(world, uuid)
    assert (await world.client.put(f"{STATES}/{path}", body)).status == 202
    async with world.database.read() as tx:
        beside = await find_beside(tx, uuid, kind)
    assert beside is not None
    assert not beside.is_exclusive
    assert (await world.client.put(f"{STATES}/{path}", body)).status == 409, "one of a kind at a time"


# ---------------------------------------------------------------------- indicators


async def test_the_lights_of_a_machine_are_listed_switched_and_read_back(world: World) -> None:
    await add_node(world)
    path = "/v1/nodes/n1/management/indicators"
    lights = (await world.client.at("1.1").get("/v1/nodes/n1/management/indicators")).status
    assert lights == 404, "a name needs a version that knows names"
    found = (await world.client.get(path)).json["indicators"]
    assert [light["name"] for light in found] == ["led-0@chassis", "led-0@system"]
    assert found[0]["states"] == ["off", "on", "blinking"]
    assert found[0]["readonly"] is False
    assert found[0]["links"][0] == {"href": f"http://api.test{path}/led-0@chassis", "rel": "self"}
    assert (await world.client.get(f"{path}/led-0@chassis")).json == {"state": "off"}
    assert (await world.client.put(f"{path}/led-0@chassis", {"state": "blinking"})).status == 204
    assert (await world.client.get(f"{path}/led-0@chassis")).json == {"state": "blinking"}
    assert (await world.client.get(f"{path}/led-0@system")).json == {"state": "off"}


async def test_a_light_that_is_none_is_refused(world: World) -> None:
    uuid = await add_node(world)
    path = "/v1/nodes/n1/management/indicators"
    for name in ("led-0", "@chassis", "led-0@", "led-9@chassis", "led-0@tower"):
        assert (await world.client.get(f"{path}/{name}")).status == 400
        assert (await world.client.put(f"{path}/{name}", {"state": "on"})).status == 400
    for body in ({"state": "purple"}, {"state": None}, {}, {"state": "on", "zork": 1}):
        assert (await world.client.put(f"{path}/led-0@chassis", body)).status == 400
    await world.put_node(uuid, reservation="conductor-9")
    assert (await world.client.put(f"{path}/led-0@chassis", {"state": "on"})).status == 409
    assert (await world.client.get(f"{path}/led-0@chassis")).status == 200
    await world.put_node(uuid, reservation=None, management_interface="noop")
    assert (await world.client.get(path)).json == {"indicators": []}
    assert (await world.client.put(f"{path}/led-0@chassis", {"state": "on"})).status == 400


# ---------------------------------------------------------------------- fields by their path


async def test_a_path_that_is_no_resource_names_a_field(world: World) -> None:
    uuid = await add_node(world)
    reply = await world.client.get("/v1/nodes/n1/driver")
    assert (reply.status, reply.json["driver"]) == (200, "fake-hardware")
    assert reply.json.keys() == {"driver", "links"}
    assert (await world.client.get("/v1/nodes/n1/boot_device")).status == 400
    assert (await world.client.get("/v1/nodes/none/driver")).status == 404
    assert (await world.client.get(f"/v1/nodes/{uuid}/driver/more")).status == 404
    assert (await world.client.at("1.46").get("/v1/nodes/n1/owner")).status == 406
