"""What every out-of-band inspection keeps."""

from bessemer.kernel.ident import is_mac

_INTEGERS = ("cpus", "memory_mb", "local_gb")


async def test_what_is_found_has_the_form_of_node_properties(machine) -> None:
    assert machine.driver.inspect.is_out_of_band
    machine.driver.inspect.validate(machine.task)
    found = await machine.driver.inspect.inspect(machine.task)
    for name in _INTEGERS:
        value = found.properties.get(name, 1)
        assert isinstance(value, int)
        assert value > 0
    assert None not in found.properties.values()
    assert found.macs
    assert all(is_mac(mac) and mac == mac.lower() for mac in found.macs)


async def test_the_inventory_has_the_form_that_agents_send(machine) -> None:
    inventory = (await machine.driver.inspect.inspect(machine.task)).inventory
    assert {"interfaces", "cpu", "memory", "disks", "boot", "system_vendor"} <= set(inventory)
    assert all(is_mac(interface["mac_address"]) for interface in inventory["interfaces"])
    assert all(disk["size"] > 0 for disk in inventory["disks"])
    assert inventory["boot"]["current_boot_mode"] == "uefi"
