"""An inspection that finds a small server with the network cards the node is known to have."""

from bessemer.domain.interface import InterfaceType
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.interface import BareInterface, Inspection, JsonObject, Task

_PROPERTIES: JsonObject = {"cpus": 8, "cpu_arch": "x86_64", "memory_mb": 16384, "local_gb": 100}


class FakeInspect(BareInterface):
    name = "fake"
    is_out_of_band = True

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def inspect(self, task: Task) -> Inspection:
        """What the node's properties already say is confirmed; what they do not say is filled in."""
        await self._behaviour.call(task, InterfaceType.INSPECT, "inspect")
        known = {key: task.node.properties.get(key, value) for key, value in _PROPERTIES.items()}
        macs = [port.address for port in task.ports]
        return Inspection(properties=known, macs=macs, inventory=_inventory(known, macs))


def _inventory(properties: JsonObject, macs: list[str]) -> JsonObject:
    size_bytes = int(properties["local_gb"]) * 2**30
    return {
        "interfaces": [{"name": f"eth{i}", "mac_address": mac} for i, mac in enumerate(macs)],
        "cpu": {"count": int(properties["cpus"]), "architecture": properties["cpu_arch"]},
        "memory": {"physical_mb": int(properties["memory_mb"])},
        "disks": [{"name": "/dev/fake0", "size": size_bytes, "model": "Fake disk", "rotational": False}],
        "boot": {"current_boot_mode": "uefi"},
        "system_vendor": {"manufacturer": "Bessemer", "product_name": "Fake server"},
    }
