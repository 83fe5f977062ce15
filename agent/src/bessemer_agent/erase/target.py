"""What is erased: the machine's disks; where software RAID stays, its arrays in place of the disks below."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bessemer_agent.context import Machine
from bessemer_agent.erase import list_erasable
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.inventory.sysfs import read_int
from bessemer_agent.raid.array import assemble_arrays, list_arrays, read_name, stop_arrays
from bessemer_agent.raid.root import MADE, software_disks, volume_names
from bessemer_agent.raid.skip import list_skipped, read_entries
from bessemer_agent.root_device import read_skipped, without_skipped

#: How these are attached: what erases a drive by itself must not be tried on a part of one.
_ARRAY, _PARTITION = "md", "partition"


def list_targets(machine: Machine, node: Mapping[str, Any]) -> list[BlockDevice]:
    """Disks to erase, and for those with a part of an array that was made for the node (``raid_config``) the
    array, and their other partitions: copies of EFI system partitions. Any other array is stopped, so that
    nothing of a former user stays.

    Arrays that ``properties.skip_block_devices`` names, and the node's own with a part on a skipped disk, are
    left alone; so is all that is on their disks, but for other arrays of the node.

    Raises:
        InvalidRequest: ``properties.skip_block_devices`` is not understood.
        RaidError: An array of somebody else is in use.
    """
    names = {name for names in volume_names(software_disks(node, MADE)) for name in names}
    if not names and not read_entries(node):
        return list_erasable(machine.list_devices(), node)
    root = Path(machine.root)
    assemble_arrays(machine.run)
    arrays, devices = list_arrays(root), machine.list_devices()
    # An array that lacks too many disks is no device.
    running = {device.name: device for device in devices}
    kept = [array for array in arrays if array.name in running and read_name(array, machine.run) in names]
    spared = list_skipped(arrays, devices, node, machine.run)
    stop_arrays([array for array in arrays if array not in kept and array not in spared], machine.run)
    skipped = running.keys() - {device.name for device in without_skipped(devices, read_skipped(node))}
    spared += [array for array in kept if not skipped.isdisjoint((array.name, *array.disks))]
    erased = [array for array in kept if array not in spared]
    below_spared = {disk for array in spared for disk in array.disks}
    below_erased = {disk for array in erased for disk in array.disks} - below_spared
    parts = {part for array in erased for part in array.parts}
    disks = list_erasable(devices, node)
    spare = (part for disk in disks if disk.name in below_erased for part in _list_partitions(disk, root))
    return [
        *(running[array.name]._replace(tran=_ARRAY) for array in erased),
        *(disk for disk in disks if disk.name not in below_erased | below_spared),
        *(part for part in spare if part.name not in parts),
    ]


def _list_partitions(disk: BlockDevice, root: Path) -> Iterator[BlockDevice]:
    for entry in sorted((root / "sys/class/block").iterdir()):
        place = entry.resolve()
        if (place / "partition").exists() and _node(place.parent.name) == disk.name:
            size = (read_int(place / "size") or 0) * 512
            yield disk._replace(name=_node(place.name), size=size, tran=_PARTITION)


def _node(name: str) -> str:
    return "/dev/" + name.replace("!", "/")
