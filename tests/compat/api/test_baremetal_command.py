"""The ``baremetal`` command of python-ironicclient drives nodes through their life."""

import time
from typing import Any

import pytest

from fakes.baremetal_command import Baremetal, CommandFailed

MAC = "52:54:00:00:00:01"


def create(baremetal: Baremetal, name: str, *more: str) -> dict[str, Any]:
    node: dict[str, Any] = baremetal(
        "node", "create", "--driver", "fake-hardware", "--name", name, *more, json_output=True
    )
    return node


def show(baremetal: Baremetal, name: str) -> dict[str, Any]:
    node: dict[str, Any] = baremetal("node", "show", name, json_output=True)
    return node


def test_a_node_lives_from_enrolment_to_deletion(baremetal: Baremetal) -> None:
    create(baremetal, "life", "--property", "cpus=4", "--extra", "rack=7")
    for verb, state in (
        ("manage", "manageable"), ("inspect", "manageable"), ("provide", "available"), ("deploy", "active"),
        ("rebuild", "active"), ("undeploy", "available"), ("manage", "manageable"),
    ):  # fmt: skip
        baremetal("node", verb, "life")
        wait_for(baremetal, "life", "provision_state", state)
    # Fake hardware announces no such step: the outcome shows in the node, not in the request.
    steps = '[{"interface": "deploy", "step": "erase_devices_metadata"}]'
    baremetal("node", "clean", "life", "--clean-steps", steps)
    wait_for(baremetal, "life", "provision_state", "clean failed")
    assert "erase_devices_metadata" in show(baremetal, "life")["last_error"]
    baremetal("node", "maintenance", "unset", "life")
    baremetal("node", "manage", "life", "--wait", "60")
    history = baremetal("node", "history", "list", "life", json_output=True)
    assert len(history) > 10
    event = baremetal("node", "history", "get", "life", history[0]["uuid"], json_output=True)
    assert event["uuid"] == history[0]["uuid"]
    baremetal("node", "delete", "life")
    with pytest.raises(CommandFailed, match="could not be found"):
        show(baremetal, "life")


def test_power_is_switched(baremetal: Baremetal) -> None:
    create(baremetal, "power")
    for words, state in (
        (("power", "on"), "power on"),
        (("reboot",), "power on"),
        (("power", "off", "--soft"), "power off"),
    ):
        baremetal("node", *words[:1], *words[1:], "power")
        wait_for(baremetal, "power", "power_state", state)
    baremetal("node", "delete", "power")


def wait_for(baremetal: Baremetal, name: str, field: str, value: str) -> None:
    """Look until it is there; the command's own wait looks every ten seconds."""
    deadline = time.monotonic() + 60
    node = show(baremetal, name)
    while node[field] != value or node["target_power_state"] is not None:
        assert time.monotonic() < deadline, f"{field} is {node[field]}, not {value}: {node['last_error']}"
        node = show(baremetal, name)


def test_fields_are_set_and_unset(baremetal: Baremetal) -> None:
    create(baremetal, "fields")
    baremetal(
        "node", "set", "fields", "--driver-info", "redfish_password=hush", "--property", "memory_mb=1024",
        "--extra", "a=1", "--resource-class", "gold", "--owner", "me", "--description", "rack 7",
        "--instance-uuid", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "--automated-clean", "--retired",
        "--retired-reason", "old", "--shard", "s1", "--network-interface", "noop",
    )  # fmt: skip
    node = show(baremetal, "fields")
    assert node["driver_info"] == {"redfish_password": "******"}
    assert (node["properties"], node["resource_class"], node["owner"]) == (
        {"memory_mb": 1024},
        "gold",
        "me",
    )
    assert (node["automated_clean"], node["retired"], node["shard"]) == (True, True, "s1")
    baremetal(
        "node", "unset", "fields", "--property", "memory_mb", "--extra", "a", "--resource-class", "--owner",
        "--description", "--instance-uuid", "--automated-clean", "--retired", "--driver-info",
        "redfish_password", "--shard",
    )  # fmt: skip
    node = show(baremetal, "fields")
    assert (node["properties"], node["owner"], node["retired"]) == ({}, None, False)
    assert (node["instance_uuid"], node["automated_clean"]) == (None, None)
    baremetal("node", "set", "fields", "--name", "renamed")
    baremetal("node", "delete", "renamed")


def test_nodes_are_listed(baremetal: Baremetal) -> None:
    create(baremetal, "list-a", "--resource-class", "listed", "--owner", "list-owner")
    create(baremetal, "list-b", "--resource-class", "listed")
    found = baremetal("node", "list", "--resource-class", "listed", "--sort", "name:desc", json_output=True)
    assert [node["name"] for node in found] == ["list-b", "list-a"]
    detail = baremetal("node", "list", "--long", "--owner", "list-owner", json_output=True)
    assert detail[0]["driver"] == "fake-hardware"
    fields = baremetal(
        "node", "list", "--fields", "name", "conductor", "--resource-class", "listed", "--limit", "1",
        json_output=True,
    )  # fmt: skip
    assert fields == [{"name": "list-a", "conductor": "compat"}]
    baremetal("node", "delete", "list-a", "list-b")


def test_maintenance_traits_boot_device_vifs_and_passthru(baremetal: Baremetal) -> None:
    create(baremetal, "below")
    baremetal("node", "maintenance", "set", "below", "--reason", "fan")
    assert show(baremetal, "below")["maintenance_reason"] == "fan"
    baremetal("node", "maintenance", "unset", "below")
    baremetal("node", "add", "trait", "below", "CUSTOM_A", "CUSTOM_B")
    baremetal("node", "remove", "trait", "below", "CUSTOM_A")
    assert baremetal("node", "trait", "list", "below", json_output=True) == [{"traits": "CUSTOM_B"}]
    baremetal("node", "boot", "device", "set", "below", "pxe", "--persistent")
    device = baremetal("node", "boot", "device", "show", "below", json_output=True)
    assert device == {"boot_device": "pxe", "persistent": True}
    supported = baremetal("node", "boot", "device", "show", "below", "--supported", json_output=True)
    assert "cdrom" in supported["supported_boot_devices"]
    validation = baremetal("node", "validate", "below", json_output=True)
    verdicts = {row["Interface"]: row["Result"] for row in validation}
    assert (len(verdicts), verdicts["power"]) == (12, True)
    baremetal("node", "inject", "nmi", "below")
    baremetal("node", "vif", "attach", "below", "6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    assert baremetal("node", "vif", "list", "below", json_output=True) == []
    baremetal("node", "vif", "detach", "below", "6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    methods = baremetal("node", "passthru", "list", "below", json_output=True)
    assert "first_method" in [method["Name"] for method in methods]
    baremetal("node", "passthru", "call", "below", "third_method_sync", "--arg", "a=1")
    baremetal("node", "delete", "below")


def test_ports_are_managed(baremetal: Baremetal) -> None:
    node = create(baremetal, "ports")
    port = baremetal(
        "port", "create", MAC, "--node", node["uuid"], "--pxe-enabled", "true", "--extra", "a=1",
        "--local-link-connection", "switch_id=0a:1b:2c:3d:4e:5f", "--local-link-connection", "port_id=e1",
        json_output=True,
    )  # fmt: skip
    uuid = port["uuid"]
    baremetal("port", "set", uuid, "--pxe-disabled", "--physical-network", "net1")
    baremetal("port", "unset", uuid, "--extra", "a")
    shown = baremetal("port", "show", uuid, json_output=True)
    assert (shown["pxe_enabled"], shown["physical_network"], shown["extra"]) == (False, "net1", {})
    assert baremetal("port", "show", "--address", MAC, json_output=True)["uuid"] == uuid
    listed = baremetal("port", "list", "--node", node["uuid"], "--long", json_output=True)
    assert [item["uuid"] for item in listed] == [uuid]
    baremetal("port", "delete", uuid)
    baremetal("node", "delete", "ports")


def test_chassis_are_managed(baremetal: Baremetal) -> None:
    uuid = baremetal("chassis", "create", "--description", "rack", json_output=True)["uuid"]
    baremetal("chassis", "set", uuid, "--description", "rack 2", "--extra", "a=1")
    baremetal("chassis", "unset", uuid, "--extra", "a")
    assert baremetal("chassis", "show", uuid, json_output=True)["description"] == "rack 2"
    assert uuid in [item["uuid"] for item in baremetal("chassis", "list", json_output=True)]
    create(baremetal, "in-chassis", "--chassis-uuid", uuid)
    with pytest.raises(CommandFailed, match="still has nodes"):
        baremetal("chassis", "delete", uuid)
    baremetal("node", "unset", "in-chassis", "--chassis-uuid")
    baremetal("chassis", "delete", uuid)
    baremetal("node", "delete", "in-chassis")


def test_drivers_and_conductors_are_shown(baremetal: Baremetal) -> None:
    drivers = baremetal("driver", "list", "--long", json_output=True)
    assert {"fake-hardware", "redfish"} <= {driver["name"] for driver in drivers}
    assert baremetal("driver", "show", "redfish", json_output=True)["default_power_interface"] == "redfish"
    properties = baremetal("driver", "property", "list", "redfish", json_output=True)
    assert "redfish_address" in [item["property"] for item in properties]
    raid = baremetal("driver", "raid", "property", "list", "fake-hardware", json_output=True)
    assert "size_gb" in [item["property"] for item in raid]
    baremetal("driver", "passthru", "list", "redfish", json_output=True)
    conductors = baremetal("conductor", "list", "--long", json_output=True)
    assert [(item["hostname"], item["alive"]) for item in conductors] == [("compat", True)]
    assert baremetal("conductor", "show", "compat", json_output=True)["alive"] is True


def test_an_error_of_ours_reaches_the_person_who_asked(baremetal: Baremetal) -> None:
    with pytest.raises(CommandFailed, match="Enabled drivers: fake-hardware, redfish"):
        baremetal("node", "create", "--driver", "zork")


def test_an_older_client_is_understood(baremetal: Baremetal) -> None:
    create(baremetal, "older")
    for version in ("1.6", "1.30", "1.61"):
        node = baremetal("--os-baremetal-api-version", version, "node", "show", "older", json_output=True)
        assert node["name"] == "older"
    baremetal("node", "delete", "older")


def test_deploy_templates_are_managed(baremetal: Baremetal) -> None:
    steps = '[{"interface": "bios", "step": "reset", "args": {}, "priority": 9}]'
    made = baremetal("deploy", "template", "create", "CUSTOM_T", "--steps", steps, json_output=True)
    baremetal("deploy", "template", "set", "CUSTOM_T", "--name", "CUSTOM_U", "--extra", "a=1")
    baremetal("deploy", "template", "unset", made["uuid"], "--extra", "a")
    assert baremetal("deploy", "template", "show", "CUSTOM_U", json_output=True)["extra"] == {}
    listed = baremetal("deploy", "template", "list", "--long", json_output=True)
    assert made["uuid"] in [item["uuid"] for item in listed]
    baremetal("deploy", "template", "delete", "CUSTOM_U")


def test_runbooks_are_managed(baremetal: Baremetal) -> None:
    steps = '[{"interface": "bios", "step": "reset", "args": {}, "order": 1}]'
    made = baremetal("runbook", "create", "--name", "fix.it", "--steps", steps, json_output=True)
    baremetal("runbook", "set", "fix.it", "--description", "all", "--public", "true", "--extra", "a=1")
    baremetal("runbook", "unset", "fix.it", "--public", "--extra", "a")
    baremetal("runbook", "trait", "add", "fix.it", "CUSTOM_A", "CUSTOM_B")
    baremetal("runbook", "trait", "remove", "fix.it", "CUSTOM_A")
    assert baremetal("runbook", "trait", "list", "fix.it", json_output=True) == [{"traits": "CUSTOM_B"}]
    shown = baremetal("runbook", "show", "fix.it", json_output=True)
    assert (shown["public"], shown["description"], shown["traits"]) == (False, "all", ["CUSTOM_B"])
    baremetal("runbook", "trait", "remove", "--all", "fix.it")
    listed = baremetal("runbook", "list", "--long", json_output=True)
    assert made["uuid"] in [item["uuid"] for item in listed]
    baremetal("runbook", "delete", "fix.it")


def test_inspection_rules_are_managed(baremetal: Baremetal) -> None:
    actions = '[{"op": "fail", "args": {"msg": "no"}}]'
    conditions = '[{"op": "is-none", "args": {"value": "{node.description}"}}]'
    uuid = baremetal(
        "inspection", "rule", "create", "--actions", actions, "--conditions", conditions,
        "--description", "all need one", "--priority", "5", json_output=True,
    )["uuid"]  # fmt: skip
    baremetal("inspection", "rule", "set", uuid, "--priority", "6")
    baremetal("inspection", "rule", "unset", uuid, "--description")
    shown = baremetal("inspection", "rule", "show", uuid, json_output=True)
    assert (shown["priority"], shown["description"], shown["sensitive"]) == (6, None, False)
    listed = baremetal("inspection", "rule", "list", json_output=True)
    assert uuid in [item["uuid"] for item in listed]
    baremetal("inspection", "rule", "delete", uuid)


def test_an_allocation_is_granted_deployed_and_ended_with_the_instance(baremetal: Baremetal) -> None:
    node = create(baremetal, "allocated", "--resource-class", "given")
    for verb, state in (("manage", "manageable"), ("provide", "available")):
        baremetal("node", verb, "allocated")
        wait_for(baremetal, "allocated", "provision_state", state)
    made = baremetal(
        "allocation",
        "create",
        "--resource-class",
        "given",
        "--name",
        "mine",
        "--wait",
        "60",
        json_output=True,
    )
    assert (made["state"], made["node_uuid"]) == ("active", node["uuid"])
    baremetal("allocation", "set", "mine", "--extra", "a=1", "--name", "yours")
    baremetal("allocation", "unset", "yours", "--extra", "a")
    shown = baremetal("allocation", "show", "yours", json_output=True)
    assert (shown["uuid"], shown["extra"]) == (made["uuid"], {})
    baremetal("node", "deploy", "allocated")
    wait_for(baremetal, "allocated", "provision_state", "active")
    with pytest.raises(CommandFailed, match="needs its allocation"):
        baremetal("allocation", "delete", "yours")
    baremetal("node", "undeploy", "allocated")
    wait_for(baremetal, "allocated", "provision_state", "available")
    listed = baremetal("allocation", "list", "--resource-class", "given", json_output=True)
    assert (listed, show(baremetal, "allocated")["allocation_uuid"]) == ([], None)
    with pytest.raises(CommandFailed, match="No node has"):
        baremetal("allocation", "create", "--resource-class", "none", "--name", "vain", "--wait", "60")
    baremetal("allocation", "delete", "vain")
    baremetal("node", "manage", "allocated", "--wait", "60")
    baremetal("node", "delete", "allocated")
