"""Nodes: enrol, show, change, delete, maintenance."""

from typing import Any

import pytest

from bessemer.domain.provision import ProvisionState
from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.api_world import HOST, World, make_world, quick_settings
from fakes.clock import FakeClock

S = ProvisionState
UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


def op(kind: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"value": value[0]} if value else {})}


async def test_a_new_node_is_complete_and_says_where_it_is(world: World) -> None:
    reply = await world.client.post(
        "/v1/nodes", {"driver": "fake-hardware", "name": "n1", "uuid": UUID.upper()}
    )
    assert reply.status == 201
    assert reply.headers["location"] == f"http://api.test/v1/nodes/{UUID}"
    node = reply.json
    assert (node["uuid"], node["provision_state"], node["conductor"]) == (UUID, "enroll", HOST)
    assert (node["boot_interface"], node["network_interface"]) == ("fake", "noop")
    assert (node["extra"], node["traits"], node["power_state"], node["updated_at"]) == ({}, [], None, None)


async def test_a_node_is_found_by_uuid_in_any_case_and_by_name(world: World) -> None:
    await world.add_node(name="n1", uuid=UUID)
    for ident in (UUID, UUID.upper(), "n1"):
        assert (await world.client.get(f"/v1/nodes/{ident}")).json["uuid"] == UUID


async def test_names_came_with_1_5(world: World) -> None:
    await world.add_node(name="n1")
    assert (await world.client.at("1.4").get("/v1/nodes/n1")).status == 404
    assert (await world.client.at("1.5").get("/v1/nodes/n1")).status == 200


@pytest.mark.parametrize("ident", ["a b", "n" * 300, "a@b"])
async def test_what_is_neither_uuid_nor_name_is_refused(client: ApiClient, ident: str) -> None:
    assert (await client.get(f"/v1/nodes/{ident}")).status == 400


async def test_nothing_is_at_an_address_that_no_database_can_be_asked_for(client: ApiClient) -> None:
    assert (await client.get("/v1/nodes/%00")).status == 404


async def test_older_clients_get_nodes_that_are_available_at_once(world: World) -> None:
    node = (await world.client.at("1.10").post("/v1/nodes", {"driver": "fake-hardware"})).json
    assert node["provision_state"] == "available"
    assert (await world.client.at("1.1").get(f"/v1/nodes/{node['uuid']}")).json["provision_state"] is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"driver": None},
        {"driver": "nope"},
        {"driver": "fake-hardware", "zork": 1},
        {"driver": "fake-hardware", "provision_state": "active"},
        {"driver": "fake-hardware", "traits": []},
        {"driver": "fake-hardware", "protected": True},
        {"driver": "fake-hardware", "name": "detail"},
        {"driver": "fake-hardware", "name": UUID},
        {"driver": "fake-hardware", "uuid": "1"},
        {"driver": "fake-hardware", "boot_interface": "nope"},
        {"driver": "redfish", "boot_interface": "fake"},
        {"driver": "fake-hardware", "chassis_uuid": UUID},
        {"driver": "fake-hardware", "parent_node": UUID},
        {"driver": "fake-hardware", "uuid": UUID, "parent_node": UUID},
        {"driver": "fake-hardware", "conductor_group": "nobody"},
        {"driver": "fake-hardware", "properties": {"memory_mb": "lots"}},
        {"driver": "fake-hardware", "retired_reason": "old"},
        {"driver": "fake-hardware", "extra": []},
        {"driver": "fake-hardware", "maintenance": "perhaps"},
        {"driver": "fake-hardware", "description": "x" * 4097},
    ],
)
async def test_a_node_that_cannot_be_right_is_refused(client: ApiClient, values: dict[str, Any]) -> None:
    reply = await client.post("/v1/nodes", values)
    assert reply.status == 400, reply.body
    assert (await client.get("/v1/nodes")).json == {"nodes": []}


@pytest.mark.parametrize("field", ["uuid", "name", "instance_uuid"])
async def test_unique_values_are_taken_once(world: World, field: str) -> None:
    value = "n1" if field == "name" else UUID
    await world.add_node(**{field: value})
    assert (await world.client.post("/v1/nodes", {"driver": "fake-hardware", field: value})).status == 409


async def test_defaults_of_the_installation_fill_what_is_left_out(
    database: Database, clock: FakeClock
) -> None:
    defaults = {"default_resource_class": "metal", "default_conductor_group": "Rack1"}
    world = await make_world(
        database, clock, settings=quick_settings(default=defaults), groups={"c1": "rack1", "c2": ""}
    )
    node = await world.add_node()
    assert (node["resource_class"], node["conductor_group"], node["conductor"]) == ("metal", "rack1", "c1")


async def test_secrets_are_stored_and_never_shown(world: World) -> None:
    node = await world.add_node(
        driver_info={"redfish_password": "hush-1", "snmp_auth_key": "hush-2", "redfish_address": "https://b"},
        instance_info={"configdrive": "hush-3", "image_url": "hush-4", "kernel": "k"},
    )
    await world.put_node(
        node["uuid"], driver_internal_info={"agent_secret_token": "hush-5", "boot_key": "hush-6"}
    )
    for path in (
        f"/v1/nodes/{node['uuid']}",
        "/v1/nodes?detail=true",
        "/v1/nodes?fields=driver_info,instance_info,driver_internal_info",
    ):
        reply = await world.client.get(path)
        assert b"hush" not in reply.body
        assert b"https://b" in reply.body
    assert (await world.node(node["uuid"])).driver_info["redfish_password"] == "hush-1"


async def test_a_patch_of_one_key_leaves_masked_secrets_alone(world: World) -> None:
    node = await world.add_node(driver_info={"redfish_password": "hush", "a": 1})
    reply = await world.client.patch(f"/v1/nodes/{node['uuid']}", [op("add", "/driver_info/a", 2)])
    assert reply.json["driver_info"] == {"redfish_password": "******", "a": 2}
    assert (await world.node(node["uuid"])).driver_info == {"redfish_password": "hush", "a": 2}


async def test_fields_choose_what_is_shown(world: World) -> None:
    node = await world.add_node(name="n1")
    found = (await world.client.get(f"/v1/nodes/{node['uuid']}?fields=name,UUID,conductor")).json
    assert found.keys() == {"name", "uuid", "conductor", "links"}
    for query, version, status in (("zork", "1.115", 400), ("owner", "1.49", 406), ("name", "1.7", 406)):
        reply = await world.client.at(version).get(f"/v1/nodes/{node['uuid']}?fields={query}")
        assert reply.status == status


async def test_a_patch_changes_several_fields_or_none(world: World, clock: FakeClock) -> None:
    node = await world.add_node(name="n1", extra={"a": 1})
    clock.advance(5)
    path = f"/v1/nodes/{node['uuid']}"
    reply = await world.client.patch(path, [op("add", "/owner", "me"), op("remove", "/extra/a")])
    assert reply.status == 200
    assert (reply.json["owner"], reply.json["extra"]) == ("me", {})
    assert reply.json["updated_at"] > node["created_at"]
    reply = await world.client.patch(path, [op("add", "/owner", "you"), op("remove", "/extra/a")])
    assert reply.status == 400
    assert (await world.client.get(path)).json["owner"] == "me"


async def test_a_bad_patch_of_a_missing_node_is_a_bad_patch(client: ApiClient) -> None:
    assert (await client.patch("/v1/nodes/none", [{"op": "zork"}])).status == 400
    assert (await client.patch("/v1/nodes/none", [op("add", "/extra/a", 1)])).status == 404


async def test_an_empty_patch_is_fine_and_an_object_is_none(world: World) -> None:
    node = await world.add_node()
    assert (await world.client.patch(f"/v1/nodes/{node['uuid']}", [])).status == 200
    assert (await world.client.patch(f"/v1/nodes/{node['uuid']}", {})).status == 400


@pytest.mark.parametrize(
    ("ops", "status"),
    [
        ([op("add", "/name", "states")], 400),
        ([op("add", "/chassis_uuid", UUID)], 400),
        ([op("add", "/parent_node", "none")], 400),
        ([op("add", "/protected_reason", "x")], 400),
        ([op("add", "/protected", True)], 409),
        ([op("add", "/conductor_group", "nobody")], 400),
        ([op("add", "/driver", "nope")], 400),
        ([op("add", "/name", "taken")], 409),
        ([op("add", "/deploy_interface", "direct")], 200),
        ([op("add", "/name", None)], 200),
    ],
)
async def test_rules_of_the_record_hold_for_patches(world: World, ops: list[Any], status: int) -> None:
    await world.add_node(name="taken")
    node = await world.add_node(name="n1")
    reply = await world.client.patch(f"/v1/nodes/{node['uuid']}", ops)
    assert reply.status == status, reply.body


async def test_removing_an_interface_brings_the_default_back(world: World) -> None:
    node = await world.add_node(inspect_interface="no-inspect")
    reply = await world.client.patch(f"/v1/nodes/{node['uuid']}", [op("remove", "/inspect_interface")])
    assert reply.json["inspect_interface"] == "fake"


async def test_a_new_driver_must_fit_the_interfaces_or_reset_them(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}"
    change = [op("add", "/driver", "redfish"), op("add", "/boot_interface", "redfish-virtual-media")]
    assert (await world.client.patch(path, change)).status == 400
    reply = await world.client.patch(f"{path}?reset_interfaces=true", change)
    assert reply.status == 200, reply.body
    assert (reply.json["power_interface"], reply.json["deploy_interface"]) == ("redfish", "direct")
    assert (
        await world.client.patch(f"{path}?reset_interfaces=true", [op("add", "/owner", "x")])
    ).status == 400
    assert (await world.client.at("1.44").patch(f"{path}?reset_interfaces=true", change)).status == 406


async def test_a_node_in_the_hands_of_an_operation_is_not_changed(world: World) -> None:
    node = await world.add_node()
    await world.put_node(node["uuid"], reservation="conductor-9")
    path = f"/v1/nodes/{node['uuid']}"
    for reply in (
        await world.client.patch(path, [op("add", "/owner", "x")]),
        await world.client.delete(path),
        await world.client.put(f"{path}/traits", {"traits": []}),
        await world.client.put(f"{path}/management/boot_device", {"boot_device": "pxe"}),
        await world.client.put(f"{path}/states/provision", {"target": "manage"}),
        await world.client.put(f"{path}/states/power", {"target": "power on"}),
    ):
        assert reply.status == 409
        assert "conductor-9" in reply.message


async def test_inspection_refuses_updates_of_clients_that_know_of_it(world: World) -> None:
    node = await world.add_node()
    await world.put_node(node["uuid"], provision_state=S.INSPECTING, target_provision_state=S.MANAGEABLE)
    change = [op("add", "/extra/a", 1)]
    assert (await world.client.at("1.39").patch(f"/v1/nodes/{node['uuid']}", change)).status == 409
    assert (await world.client.at("1.38").patch(f"/v1/nodes/{node['uuid']}", change)).status == 200
    await world.put_node(node["uuid"], provision_state=S.INSPECT_WAIT)
    assert (await world.client.at("1.39").patch(f"/v1/nodes/{node['uuid']}", change)).status == 200
    assert (await world.client.at("1.38").get(f"/v1/nodes/{node['uuid']}")).json[
        "provision_state"
    ] == "inspecting"


async def test_maintenance_is_set_with_a_reason_and_cleared_with_the_fault(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}"
    for body, reason in (({"reason": "fan"}, "fan"), (None, None), ({"reason": "disk"}, "disk")):
        assert (await world.client.put(f"{path}/maintenance", body)).status == 202
        found = (await world.client.get(path)).json
        assert (found["maintenance"], found["maintenance_reason"]) == (True, reason)
    await world.put_node(node["uuid"], fault="clean failure")
    reply = await world.client.delete(f"{path}/maintenance")
    assert (reply.status, reply.body) == (202, b"")
    found = (await world.client.get(path)).json
    assert (found["maintenance"], found["maintenance_reason"], found["fault"]) == (False, None, None)
    assert (await world.client.put("/v1/nodes/none/maintenance")).status == 404
    assert (await world.client.get(f"{path}/maintenance")).status == 405


async def test_clearing_maintenance_by_patch_also_clears_reason_and_fault(world: World) -> None:
    node = await world.add_node(maintenance=True)
    await world.put_node(node["uuid"], fault="power failure", maintenance_reason="x")
    found = (
        await world.client.patch(f"/v1/nodes/{node['uuid']}", [op("replace", "/maintenance", False)])
    ).json
    assert (found["maintenance"], found["maintenance_reason"], found["fault"]) == (False, None, None)


async def test_a_protected_node_is_not_deleted_even_in_maintenance(world: World) -> None:
    node = await world.add_node()
    await world.put_node(node["uuid"], provision_state=S.ACTIVE)
    path = f"/v1/nodes/{node['uuid']}"
    protect = [op("add", "/protected", True), op("add", "/protected_reason", "mine")]
    assert (await world.client.patch(path, protect)).json["protected_reason"] == "mine"
    await world.client.put(f"{path}/maintenance")
    assert (await world.client.delete(path)).status == 403
    cleared = await world.client.patch(path, [op("remove", "/protected")])
    assert (cleared.json["protected"], cleared.json["protected_reason"]) == (False, None)
    assert (await world.client.delete(path)).status == 204
    assert (await world.client.get(path)).status == 404


async def test_deleting_takes_everything_below_along(world: World) -> None:
    node = await world.add_node()
    port = await world.add_port(node["uuid"], "aa:bb:cc:00:11:22")
    assert (await world.client.delete(f"/v1/nodes/{node['uuid']}")).status == 204
    assert (await world.client.get(f"/v1/ports/{port['uuid']}")).status == 404
    for method in ("DELETE", "PATCH"):
        assert (await world.client.call(method, "/v1/nodes")).status == 400


async def test_a_parent_has_the_same_owner(world: World) -> None:
    await world.add_node(name="parent", owner="me")
    child = {"driver": "fake-hardware", "parent_node": "parent"}
    assert (await world.client.post("/v1/nodes", child)).status == 400
    node = await world.add_node(parent_node="parent", owner="me")
    path = f"/v1/nodes/{node['uuid']}"
    assert (await world.client.patch(path, [op("add", "/parent_node", "none")])).status == 400
    assert (await world.client.patch(path, [op("remove", "/parent_node")])).json["parent_node"] is None
    both = [op("add", "/owner", "you"), op("add", "/parent_node", "parent")]
    assert (await world.client.patch(path, both)).status == 400


async def test_an_instance_without_a_name_takes_a_new_display_name(world: World) -> None:
    node = await world.add_node(instance_name="web")
    assert node["instance_info"] == {}
    path, display_name = f"/v1/nodes/{node['uuid']}", [op("add", "/instance_info/display_name", "db")]
    assert (await world.client.patch(path, display_name)).json["instance_name"] == "web"
    unnamed = (await world.client.patch(path, [op("remove", "/instance_name")])).json
    assert (unnamed["instance_name"], unnamed["instance_info"]) == (None, {"display_name": "db"})
    display_name = [op("replace", "/instance_info/display_name", "mail")]
    assert (await world.client.patch(path, display_name)).json["instance_name"] == "mail"


async def test_states_are_a_document_of_their_own(world: World) -> None:
    node = await world.add_node()
    found = (await world.client.get(f"/v1/nodes/{node['uuid']}/states")).json
    assert found == {
        "console_enabled": False, "last_error": None, "power_state": None, "provision_state": "enroll",
        "provision_updated_at": None, "target_power_state": None, "target_provision_state": None,
        "raid_config": {}, "target_raid_config": {}, "boot_mode": None, "secure_boot": None,
    }  # fmt: skip
    older = (await world.client.at("1.11").get(f"/v1/nodes/{node['uuid']}/states")).json
    assert "raid_config" not in older
    assert "boot_mode" not in older
