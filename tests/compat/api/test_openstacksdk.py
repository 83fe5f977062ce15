"""openstacksdk's bare-metal proxy, as Nova and Ansible use it."""

from typing import Any

import pytest

MAC = "52:54:00:00:00:02"


def test_a_node_lives_from_enrolment_to_deletion(sdk: Any) -> None:
    node = sdk.create_node(
        driver="fake-hardware", name="sdk-life", properties={"cpus": 4}, provision_state="available"
    )
    assert node.provision_state == "available"
    node = sdk.set_node_provision_state(
        node, "active", config_drive={"meta_data": {"hostname": "x"}}, wait=True, timeout=90
    )
    assert (node.provision_state, node.power_state) == ("active", "power on")
    node = sdk.set_node_provision_state(node, "deleted", wait=True, timeout=90)
    assert (node.provision_state, node.instance_info) == ("available", {})
    sdk.delete_node(node)
    assert sdk.find_node("sdk-life") is None


def test_power_is_switched_and_waited_for(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-power")
    sdk.set_node_power_state(node, "power on", wait=True, timeout=90)
    assert sdk.get_node(node).power_state == "power on"
    sdk.set_node_power_state(node, "power off", wait=True, timeout=90)
    assert sdk.get_node(node).power_state == "power off"
    sdk.delete_node(node)


def test_fields_are_patched(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-patch", extra={"a": 1})
    node = sdk.update_node(node, owner="me", extra={"a": 2, "b": {"c": 3}})
    assert (node.owner, node.extra) == ("me", {"a": 2, "b": {"c": 3}})
    node = sdk.patch_node(node, [{"op": "remove", "path": "/extra/b"}])
    assert node.extra == {"a": 2}
    sdk.delete_node(node)


def test_lists_are_walked_page_by_page(sdk: Any) -> None:
    made = [sdk.create_node(driver="fake-hardware", name=f"sdk-page-{n}", owner="paged") for n in range(5)]
    found = sdk.nodes(limit=2, owner="paged", details=True)
    assert sorted(node.name for node in found) == [node.name for node in made]
    assert [node.id for node in sdk.nodes(fields=["uuid", "owner"], owner="paged", limit=2)] == [
        node.id for node in made
    ]
    for node in made:
        sdk.delete_node(node)


def test_what_lies_below_a_node_is_reached(sdk: Any) -> None:
    node = sdk.create_node(driver="fake-hardware", name="sdk-below")
    sdk.set_node_maintenance(node, "fan")
    assert sdk.get_node(node).maintenance_reason == "fan"
    sdk.unset_node_maintenance(node)
    sdk.set_node_traits(node, ["CUSTOM_A", "CUSTOM_B"])
    sdk.remove_node_trait(node, "CUSTOM_A")
    assert sdk.get_node(node).traits == ["CUSTOM_B"]
    sdk.set_node_boot_device(node, "cdrom", persistent=False)
    assert sdk.get_node_boot_device(node) == {"boot_device": "cdrom", "persistent": False}
    assert "pxe" in sdk.get_node_supported_boot_devices(node)["supported_boot_devices"]
    sdk.inject_nmi_to_node(node)
    sdk.validate_node(node)
    sdk.attach_vif_to_node(node, "6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    assert sdk.list_node_vifs(node) == []
    assert sdk.detach_vif_from_node(node, "6ba7b810-9dad-41d1-80b4-00c04fd430c8") is True
    assert "first_method" in sdk.list_node_vendor_passthru(node)
    sdk.delete_node(node)


def test_ports_chassis_drivers_and_conductors_are_reached(sdk: Any) -> None:
    chassis = sdk.create_chassis(description="rack")
    node = sdk.create_node(driver="fake-hardware", name="sdk-port", chassis_uuid=chassis.id)
    port = sdk.create_port(node_id=node.id, address=MAC, pxe_enabled=False)
    assert [found.id for found in sdk.ports(address=MAC)] == [port.id]
    assert [found.id for found in sdk.ports(node=node.id, details=True)] == [port.id]
    assert sdk.update_port(port, extra={"a": 1}).extra == {"a": 1}
    sdk.delete_port(port)
    sdk.delete_node(node)
    assert sdk.update_chassis(chassis, description="rack 2").description == "rack 2"
    sdk.delete_chassis(chassis)
    assert {"fake-hardware", "redfish"} <= {driver.name for driver in sdk.drivers(details=True)}
    assert sdk.get_driver("redfish").default_power_interface == "redfish"
    assert [conductor.hostname for conductor in sdk.conductors(details=True)] == ["compat"]


def test_errors_come_as_the_sdks_own(sdk: Any) -> None:
    from openstack import exceptions

    with pytest.raises(exceptions.NotFoundException, match="could not be found"):
        sdk.get_node("nobody")
    with pytest.raises(exceptions.BadRequestException, match="not enabled"):
        sdk.create_node(driver="zork")
    node = sdk.create_node(driver="fake-hardware", name="sdk-protected")
    with pytest.raises(exceptions.BadRequestException, match="can not be performed"):
        sdk.set_node_provision_state(node, "active")
    sdk.delete_node(node)


def test_templates_runbooks_rules_and_allocations_are_reached(sdk: Any) -> None:
    from openstack import exceptions

    step = {"interface": "bios", "step": "reset", "args": {}}
    template = sdk.create_deploy_template(name="CUSTOM_SDK", steps=[{**step, "priority": 1}])
    assert sdk.update_deploy_template(template, extra={"a": 1}).extra == {"a": 1}
    assert "CUSTOM_SDK" in [found.name for found in sdk.deploy_templates(details=True)]
    sdk.delete_deploy_template(template)
    runbook = sdk.create_runbook(name="CUSTOM_SDK", steps=[{**step, "order": 1}])
    assert sdk.update_runbook(runbook, extra={"a": 1}).extra == {"a": 1}
    assert runbook.id in [found.id for found in sdk.runbooks(details=True)]
    sdk.delete_runbook(runbook)
    rule = sdk.create_inspection_rule(actions=[{"op": "fail", "args": {"msg": "no"}}])
    assert sdk.update_inspection_rule(rule, priority=3).priority == 3
    assert rule.id in [found.id for found in sdk.inspection_rules()]
    sdk.delete_inspection_rule(rule)
    allocation = sdk.create_allocation(name="sdk", resource_class="nothing-has-it")
    with pytest.raises(exceptions.ResourceFailure):
        sdk.wait_for_allocation(allocation, timeout=90)
    assert [found.name for found in sdk.allocations(state="error", resource_class="nothing-has-it")] == [
        "sdk"
    ]
    sdk.delete_allocation(allocation)
