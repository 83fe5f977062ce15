"""What lies around nodes, by openstacksdk: port groups, volumes, media."""

from typing import Any

MAC = "52:54:00:00:01:01"


def test_the_sdk_bundles_ports(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-bond")
    group = sdk.create_port_group(
        node_id=node.id, name="sdk-bond0", mode="802.3ad", properties={"miimon": 100}
    )
    port = sdk.create_port(node_id=node.id, address=MAC, port_group_id=group.id)
    assert [found.id for found in sdk.port_groups(node=node.id, details=True)] == [group.id]
    assert sdk.get_port_group("sdk-bond0").mode == "802.3ad"
    assert [found.id for found in sdk.ports(port_group=group.id)] == [port.id]
    assert sdk.update_port_group(group, extra={"a": 1}).extra == {"a": 1}
    assert sdk.patch_port(port, [{"op": "remove", "path": "/portgroup_uuid"}]).port_group_id is None
    sdk.delete_port_group(group)
    assert sdk.find_port_group("sdk-bond0") is None
    sdk.delete_node(node)


def test_the_sdk_connects_volumes(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-volume")
    sdk.set_node_power_state(node, "power off", wait=True, timeout=90)
    connector = sdk.create_volume_connector(
        node_id=node.id, type="iqn", connector_id="iqn.2026-01.org.example:s"
    )
    target = sdk.create_volume_target(node_id=node.id, volume_type="iscsi", boot_index=0, volume_id="v-1")
    assert [found.id for found in sdk.volume_connectors(node=node.id, details=True)] == [connector.id]
    assert [found.id for found in sdk.volume_targets(node=node.id)] == [target.id]
    assert sdk.update_volume_connector(connector, extra={"a": 1}).extra == {"a": 1}
    changed = sdk.patch_volume_target(target, [{"op": "replace", "path": "/boot_index", "value": 1}])
    assert changed.boot_index == 1
    sdk.delete_volume_connector(connector)
    sdk.delete_volume_target(target)
    assert sdk.find_volume_target(target.id) is None
    sdk.delete_node(node)


def test_the_sdk_handles_virtual_media(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-media")
    sdk.attach_vmedia_to_node(node, "cdrom", "http://images.test/a.iso")
    sdk.detach_vmedia_from_node(node, ["cdrom"])
    sdk.delete_node(node)
