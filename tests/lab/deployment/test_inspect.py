"""A machine is inspected by its own ramdisk, and the operator's rule makes something of what it found."""

import asyncio
from typing import Any

import openstack
import pytest

pytestmark = pytest.mark.lab

RULE: dict[str, Any] = {
    "conditions": [{"op": "gt", "args": ["{inventory[memory][physical_mb]}", 512]}],
    "actions": [
        {"op": "set-attribute", "args": ["/resource_class", "{inventory[cpu][architecture]}.small"]},
        {"op": "add-trait", "args": ["CUSTOM_INSPECTED"]},
    ],
}


async def test_a_machine_is_inspected_by_its_ramdisk_and_one_rule(stages) -> None:
    stage = await stages("\n[inspector]\nadd_ports = all\n", disk_gib=7)
    operator = stage.operator()
    baremetal = openstack.connect(
        auth_type="none", baremetal_endpoint_override=stage.scene.endpoint, baremetal_api_version="1.110"
    ).baremetal
    await asyncio.to_thread(operator.enrol, "node-0")
    await asyncio.to_thread(baremetal.update_node, operator.node_id, inspect_interface="agent")
    await asyncio.to_thread(baremetal.create_inspection_rule, **RULE)
    await asyncio.to_thread(operator.move, "manage", "manageable", timeout_s=60.0)
    await asyncio.to_thread(operator.ask, "inspect")
    sight = await stage.until(operator.settled, "the inspection ends", timeout_s=90.0)

    assert (sight.state, sight.node.last_error) == ("manageable", None)
    properties = sight.node.properties
    assert {name: properties[name] for name in ("cpu_arch", "memory_mb", "local_gb")} == {
        "cpu_arch": "x86_64", "memory_mb": 1024, "local_gb": 7,
    }  # fmt: skip
    assert "boot_mode:uefi" in properties["capabilities"]
    assert (sight.node.resource_class, sight.node.traits) == ("x86_64.small", ["CUSTOM_INSPECTED"])
    assert sight.node.power_state == "power off"
    ports = await asyncio.to_thread(operator.ports)
    assert [port.address for port in ports] == [stage.scene.machine.mac]
    found = await asyncio.to_thread(baremetal.get_node_inventory, operator.node_id)
    assert found["inventory"]["boot"]["current_boot_mode"] == "uefi"
    assert found["plugin_data"]["root_disk"]["size"] == 7 * 2**30
