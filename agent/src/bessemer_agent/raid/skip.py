"""Arrays that a node's ``properties.skip_block_devices`` names: they and their disks are left alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer_agent.child import Run
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.raid.array import Array, read_name
from bessemer_agent.root_device import read_skipped, without_skipped


def read_entries(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries that name arrays: by ``volume_name``, or by ``name`` ("/dev/md1").

    Other hints do not count: a former user's array may well have the size or the model they ask for.

    Raises:
        InvalidRequest: ``properties.skip_block_devices`` is not understood.
    """
    return [
        entry for entry in read_skipped(node) if "volume_name" in entry or "/md" in str(entry.get("name"))
    ]


def list_skipped(
    arrays: Sequence[Array], devices: Sequence[BlockDevice], node: Mapping[str, Any], run: Run
) -> list[Array]:
    """The running arrays that are named, whoever made them.

    Raises:
        InvalidRequest: ``properties.skip_block_devices`` is not understood.
    """
    entries = read_entries(node)
    names = {str(entry["volume_name"]) for entry in entries if "volume_name" in entry}
    skipped = {device.name for device in devices}
    skipped -= {device.name for device in without_skipped(devices, entries)}
    return [array for array in arrays if array.name in skipped or (names and read_name(array, run) in names)]
