"""What lies below a node: validation, boot device, NMI, VIFs, passthru, traits, history, inventory."""

import pytest

from bessemer.store.event import add_event
from bessemer.store.inventory import put_inventory
from fakes.api_world import World

UUID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


async def test_validation_tells_about_twelve_interfaces(world: World) -> None:
    node = await world.add_node(
        name="n1", driver="redfish", boot_interface="redfish-virtual-media", inspect_interface="no-inspect"
    )
    for path in (
        "/v1/nodes/n1/validate",
        "/v1/nodes/validate?node=n1",
        f"/v1/nodes/validate?node_uuid={node['uuid']}",
    ):
        found = (await world.client.get(path)).json
        assert len(found) == 12
        assert "vendor" not in found
        assert found["network"] == {"result": True}
        assert (found["power"]["result"], "redfish_address" in found["power"]["reason"]) == (False, True)
        assert found["inspect"]["result"] is None
    assert (await world.client.get("/v1/nodes/validate")).status == 400
    assert (await world.client.get("/v1/nodes/none/validate")).status == 404


async def test_a_boot_device_that_was_set_is_read_back(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/management/boot_device"
    assert (await world.client.put(path, {"boot_device": "cdrom", "persistent": True})).status == 204
    assert (await world.client.get(path)).json == {"boot_device": "cdrom", "persistent": True}
    assert "pxe" in (await world.client.get(f"{path}/supported")).json["supported_boot_devices"]
    for body in ({"boot_device": "zork"}, {}, {"boot_device": "pxe", "persistent": "perhaps"}):
        assert (await world.client.put(path, body)).status == 400


async def test_an_nmi_needs_no_body_and_a_newer_client(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/management/inject_nmi"
    assert (await world.client.put(path)).status == 204
    assert (await world.client.put(path, {})).status == 204
    assert (await world.client.at("1.28").put(path)).status == 404


async def test_virtual_interfaces_are_the_network_interfaces_matter(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/vifs"
    assert (await world.client.post(path, {"id": UUID, "anything": {"a": 1}})).status == 204
    assert (await world.client.get(path)).json == {"vifs": []}  # noop attaches anything and keeps nothing
    assert (await world.client.delete(f"{path}/{UUID}")).status == 204
    assert (await world.client.post(path, {})).status == 400
    both = {"id": UUID, "port_uuid": UUID, "portgroup_uuid": UUID}
    assert (await world.client.post(path, both)).status == 400
    assert (await world.client.at("1.66").post(path, both)).status == 204
    assert (await world.client.at("1.27").get(path)).status == 404


async def test_vendor_methods_are_discovered_and_called(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/vendor_passthru"
    methods = (await world.client.get(f"{path}/methods")).json
    assert methods["third_method_sync"]["async"] is False
    assert methods["first_method"]["http_methods"] == ["POST"]
    for address in (f"{path}?method=third_method_sync", f"{path}/third_method_sync"):
        reply = await world.client.post(address, {"a": 1})
        assert (reply.status, reply.json["args"]) == (200, {"a": 1})
    slow = await world.client.post(f"{path}/first_method", {})
    assert (slow.status, slow.body) == (202, b"")
    for method, address in (("POST", path), ("POST", f"{path}/zork"), ("GET", f"{path}/first_method")):
        assert (await world.client.call(method, address, {})).status == 400
    assert (await world.client.post(f"{path}/first_method", [])).status == 400


async def test_traits_are_replaced_added_and_removed(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/traits"
    assert (await world.client.put(path, {"traits": ["CUSTOM_B", "CUSTOM_A", "CUSTOM_A"]})).status == 204
    assert (await world.client.get(path)).json == {"traits": ["CUSTOM_A", "CUSTOM_B"]}
    added = await world.client.put(f"{path}/HW_CPU_X86_VMX")
    assert (added.status, added.headers["location"]) == (204, f"http://api.test{path}/HW_CPU_X86_VMX")
    assert (await world.client.put(f"{path}/HW_CPU_X86_VMX")).status == 204
    assert (await world.client.delete(f"{path}/CUSTOM_A")).status == 204
    assert (await world.client.delete(f"{path}/CUSTOM_A")).status == 404
    assert (await world.client.get(path)).json == {"traits": ["CUSTOM_B", "HW_CPU_X86_VMX"]}
    assert (await world.client.delete(path)).status == 204
    assert (await world.client.get(path)).json == {"traits": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"traits": "CUSTOM_A"},
        {"traits": ["lower"]},
        {"traits": ["HW_NOBODY_KNOWS"]},
        {"traits": [5]},
        {"traits": ["CUSTOM_" + "A" * 250]},
        {"traits": [f"CUSTOM_{n}" for n in range(51)]},
    ],
)
async def test_traits_are_checked(world: World, body: object) -> None:
    node = await world.add_node()
    assert (await world.client.put(f"/v1/nodes/{node['uuid']}/traits", body)).status == 400


async def test_a_node_has_at_most_fifty_traits(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/traits"
    await world.client.put(path, {"traits": [f"CUSTOM_{n}" for n in range(50)]})
    assert (await world.client.put(f"{path}/CUSTOM_MORE")).status == 400
    assert (await world.client.put(f"{path}/CUSTOM_1")).status == 204
    assert (await world.client.put(f"{path}/lower")).status == 400
    assert (await world.client.put(f"{path}/CUSTOM_1", {"traits": []})).status == 400


async def test_the_gate_of_traits_depends_on_the_method(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/traits"
    older = world.client.at("1.36")
    assert (await older.get(path)).status == 406
    assert (await older.put(path, {"traits": []})).status == 405
    assert (await older.put(f"{path}/CUSTOM_A")).status == 405
    assert (await older.delete(path)).status == 404
    assert (await older.delete(f"{path}/CUSTOM_A")).status == 404


async def test_history_is_listed_shortly_and_told_in_full(world: World) -> None:
    node, other = await world.add_node(), await world.add_node()
    async with world.database.write() as tx:
        long = await add_event(
            tx, node_uuid=node["uuid"], kind="cleaning", severity="ERROR", message="x" * 300, conductor="c1",
            state="clean failed", target_state="available", duration_s=12.6,
        )  # fmt: skip
    path = f"/v1/nodes/{node['uuid']}/history"
    item = (await world.client.get(path)).json["history"][-1]
    assert item.keys() == {"uuid", "created_at", "severity", "event", "links"}
    assert (len(item["event"]), item["event"][-4:], len(item["links"])) == (254, "x...", 1)
    full = (await world.client.get(f"{path}/{long.uuid}")).json
    assert (full["event"], full["event_type"], full["conductor"]) == ("x" * 300, "cleaning", "c1")
    assert (full["state"], full["target_provision_state"], full["duration_seconds"]) == (
        "clean failed", "available", 13,
    )  # fmt: skip
    assert "state" not in (await world.client.at("1.114").get(f"{path}/{long.uuid}")).json
    assert (await world.client.get(f"/v1/nodes/{other['uuid']}/history/{long.uuid}")).status == 404
    assert (await world.client.get(f"{path}/{UUID}")).status == 404
    assert (await world.client.at("1.77").get(path)).status == 404


async def test_history_has_pages_and_an_order(world: World) -> None:
    node = await world.add_node()
    async with world.database.write() as tx:
        for number in range(4):
            await add_event(tx, node_uuid=node["uuid"], kind="k", message=f"m{number}")
    path = f"/v1/nodes/{node['uuid']}/history?limit=3&sort_key=event&sort_dir=desc"
    first = (await world.client.get(path)).json
    rest = (await world.client.get(first["next"])).json
    texts = [item["event"] for item in (*first["history"], *rest["history"])]
    assert texts[:-1] == ["m3", "m2", "m1", "m0"]
    assert "next" not in rest


async def test_an_inventory_is_there_once_the_node_was_inspected(world: World) -> None:
    node = await world.add_node()
    path = f"/v1/nodes/{node['uuid']}/inventory"
    assert (await world.client.get(path)).status == 404
    async with world.database.write() as tx:
        await put_inventory(tx, node["uuid"], {"cpu": {"count": 4}}, {"macs": []})
    assert (await world.client.get(path)).json == {
        "inventory": {"cpu": {"count": 4}},
        "plugin_data": {"macs": []},
    }
