"""The operating system's disk where it is an array, and what firmware needs of it on the disks themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bessemer_agent.child import Run
from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import DeviceNotFound
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.partition import NoRoom, Partition
from bessemer_agent.raid.array import Array, assemble_arrays, list_arrays, read_name

#: The field of a node that says which arrays there are.
MADE = "raid_config"


def find_root_arrays(node: Mapping[str, Any], run: Run, root: Path) -> list[Array]:
    """The running arrays, that of the operating system first; they are started if the node has any."""
    disks = software_disks(node, MADE) or software_disks(node, "target_raid_config")
    if disks:
        assemble_arrays(run)
    arrays = list_arrays(root)
    if not disks or len(arrays) < 2:
        return arrays
    index = next((n for n, disk in enumerate(disks) if disk.get("is_root_volume")), 0)
    wanted = volume_names(disks)[index]
    return sorted(arrays, key=lambda array: (read_name(array, run) not in wanted, array.name))


def root_candidates(
    devices: Sequence[BlockDevice], arrays: Sequence[Array], *, has_hints: bool, is_raided: bool
) -> list[BlockDevice]:
    """What an image may be written to: no disk with a part of an array, and without hints the first array.

    ``is_raided`` says that arrays were made for the node.

    Raises:
        DeviceNotFound: There must be arrays, and are none: one disk alone would not be what was asked for.
    """
    taken = {disk for array in arrays for disk in array.disks}
    free = [device for device in devices if device.name not in taken]
    if has_hints:
        return free
    if not arrays and is_raided:
        raise DeviceNotFound(
            "the arrays of the node's raid_config are not on its disks: make them anew (raid step"
            " create_configuration), give them up (delete_configuration), or name a disk (root_device)"
        )
    return [device for device in free if device.name == arrays[0].name] if arrays else free


def copy_esp(source: Disk, esp: Partition, target: Disk) -> None:
    """Copy the EFI system partition of the image to a partition of its own, which firmware can read.

    Raises:
        NoRoom: The image's partition is larger.
        DeviceError: A disk failed.
    """
    if esp.size > target.size_bytes:
        raise NoRoom(f"the image's EFI system partition has {esp.size // MIB} MiB, {target.path} is smaller")
    for offset in range(0, esp.size, MIB):
        target.write(offset, source.read(esp.start + offset, min(MIB, esp.size - offset)))
    target.flush()


def software_disks(node: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The logical disks in this field of the node, if the kernel's RAID is meant."""
    config = node.get(field)
    disks = config.get("logical_disks") if isinstance(config, Mapping) else None
    found = [disk for disk in disks or [] if isinstance(disk, Mapping)]
    return found if any(disk.get("controller") == "software" for disk in found) else []


def volume_names(disks: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """What the array of each of these logical disks may be called.

    Those without a name of their own are called by their device by ironic-python-agent, by their number here.
    """
    return [
        (str(disk["volume_name"]),)
        if disk.get("volume_name")
        else (str(number), f"md{number}", f"/dev/md{number}")
        for number, disk in enumerate(disks)
    ]
