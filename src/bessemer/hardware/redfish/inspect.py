"""Out-of-band inspection: what the BMC knows of the machine, without booting anything.

Source of the inventory's shape: v1 contract, inventory (that of the agent).
"""

from typing import Any

from bessemer.hardware.interface import Inspection, JsonObject, Task
from bessemer.hardware.redfish.base import RedfishInterface
from bessemer.hardware.redfish.boot_override import boot_mode_of
from bessemer.hardware.redfish.ethernet import NetworkCard, read_cards
from bessemer.hardware.redfish.processor import Processors, read_processors
from bessemer.hardware.redfish.storage import Disk, read_disks
from bessemer.hardware.redfish.system import ComputerSystem

_GIB = 2**30
#: A disk smaller than this is no root disk (boot media, flash cards).
_LEAST_ROOT_BYTES = 4 * _GIB


class RedfishInspect(RedfishInterface):
    is_out_of_band = True

    async def inspect(self, task: Task) -> Inspection:
        """Properties are only those that the BMC tells; what it does not tell stays as the node has it."""
        system = await self._system(task)
        processors = await read_processors(system)
        cards = await read_cards(system)
        disks = await read_disks(system)
        return Inspection(
            properties=_properties(task, system, processors, disks),
            macs=tuple(card.mac for card in cards),
            inventory=_inventory(system, processors, cards, disks),
            plugin_data={"system": system.resource.body},
        )


def _properties(task: Task, system: ComputerSystem, processors: Processors, disks: list[Disk]) -> JsonObject:
    mode = boot_mode_of(system)
    capabilities = str(task.node.properties.get("capabilities") or "")
    found: JsonObject = {
        "cpus": processors.count,
        "cpu_arch": processors.architecture,
        "memory_mb": _memory_mb(system),
        "local_gb": _local_gb(disks),
        "vendor": system.resource.find(str, "Manufacturer"),
        "capabilities": with_capability(capabilities, "boot_mode", mode.value) if mode else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def with_capability(capabilities: str, name: str, value: str) -> str:
    """``k1:v1,k2:v2`` with one capability set; the others keep their place."""
    pairs = [pair for pair in capabilities.split(",") if pair and pair.partition(":")[0] != name]
    return ",".join([*pairs, f"{name}:{value}"])


def _memory_mb(system: ComputerSystem) -> int | None:
    size_gib = system.resource.find(float, "MemorySummary", "TotalSystemMemoryGiB")
    return int(size_gib * 1024) if size_gib else None


def _local_gb(disks: list[Disk]) -> int | None:
    """Size of the disk that an image goes to unless hints say otherwise: the smallest that is big enough."""
    sizes = [disk.size_bytes for disk in disks if disk.size_bytes >= _LEAST_ROOT_BYTES]
    return min(sizes) // _GIB if sizes else None


def _inventory(
    system: ComputerSystem, processors: Processors, cards: list[NetworkCard], disks: list[Disk]
) -> JsonObject:
    resource = system.resource
    mode = boot_mode_of(system)
    return {
        "interfaces": [_known(name=c.name, mac_address=c.mac, has_carrier=c.has_carrier) for c in cards],
        "cpu": _known(
            count=processors.count,
            architecture=processors.architecture,
            model_name=processors.model,
            frequency=None if processors.frequency_mhz is None else str(processors.frequency_mhz),
        ),
        "memory": _known(physical_mb=_memory_mb(system)),
        "disks": [
            _known(
                name=disk.name,
                size=disk.size_bytes,
                model=disk.model,
                serial=disk.serial,
                vendor=disk.vendor,
                rotational=disk.is_rotational,
                wwn=disk.wwn,
            )
            for disk in disks
        ],
        "boot": _known(current_boot_mode=mode.value if mode else None),
        "system_vendor": _known(
            manufacturer=resource.find(str, "Manufacturer"),
            product_name=resource.find(str, "Model"),
            serial_number=resource.find(str, "SerialNumber"),
            firmware=_firmware(system),
        ),
    }


def _firmware(system: ComputerSystem) -> JsonObject | None:
    version = system.resource.find(str, "BiosVersion")
    return None if version is None else {"version": version}


def _known(**values: Any) -> JsonObject:
    return {name: value for name, value in values.items() if value is not None}
