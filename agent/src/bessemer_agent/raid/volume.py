"""The logical disks of a RAID configuration. Source: Ironic's ``target_raid_config``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bessemer_agent.error import DeviceNotFound, InvalidRequest
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.root_device import GIB, find_devices

#: The kernel's names of levels, the fewest disks each needs, and how many of n disks hold data.
_LEVELS = {"0": ("0", 2), "1": ("1", 2), "1+0": ("10", 2), "5": ("5", 3), "6": ("6", 4)}
#: What the kernel lets an array be called by.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_MOST = 2


class Volume(NamedTuple):
    """One array that is wanted."""

    #: As in the configuration: "1", "1+0"...
    level: str
    #: None: all the room that is left.
    size: int | None
    name: str | None
    #: Names of disks, or objects of device hints; empty: all disks.
    disks: tuple[Any, ...]
    #: How many of them to use; None: all.
    disk_count: int | None

    @property
    def kernel_level(self) -> str:
        return _LEVELS[self.level][0]

    def data_disks(self, count: int) -> float:
        """How many of ``count`` disks' room hold data."""
        return {"0": count, "1": 1, "1+0": count / 2, "5": count - 1, "6": count - 2}[self.level]


def read_volumes(config: object) -> list[Volume]:
    """The arrays of a configuration, in its order.

    Raises:
        InvalidRequest: None, too many, or one that the kernel cannot make.
    """
    disks = config.get("logical_disks") if isinstance(config, Mapping) else None
    if not isinstance(disks, list) or not 1 <= len(disks) <= _MOST:
        raise InvalidRequest(f"a software RAID has 1 to {_MOST} logical disks")
    volumes = [_read_volume(f"logical disk {number}", disk) for number, disk in enumerate(disks, 1)]
    if volumes[0].level != "1":
        raise InvalidRequest("the first logical disk must be RAID 1: machines boot from it")
    if sum(volume.size is None for volume in volumes) > 1:
        raise InvalidRequest("only one logical disk can have the size MAX")
    return volumes


def _read_volume(where: str, disk: object) -> Volume:
    if not isinstance(disk, Mapping):
        raise InvalidRequest(f"{where} must be an object")
    if disk.get("controller") != "software":
        raise InvalidRequest(f"{where}: only the controller 'software' is known here")
    level, size = disk.get("raid_level"), disk.get("size_gb")
    if level not in _LEVELS:
        raise InvalidRequest(f"{where}: raid_level must be one of {', '.join(_LEVELS)}")
    if size != "MAX" and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise InvalidRequest(f"{where}: size_gb must be MAX or a number of GiB above 0")
    name = disk.get("volume_name")
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise InvalidRequest(f"{where}: volume_name must be 1 to 32 letters, digits, dots, dashes")
    wanted, count = disk.get("physical_disks") or [], disk.get("number_of_physical_disks")
    if not isinstance(wanted, list):
        raise InvalidRequest(f"{where}: physical_disks must be a list")
    if count is not None and (not isinstance(count, int) or count < 1):
        raise InvalidRequest(f"{where}: number_of_physical_disks must be a number above 0")
    return Volume(level, None if size == "MAX" else size * GIB, name, tuple(wanted), count)


def choose_disks(volume: Volume, devices: Sequence[BlockDevice]) -> list[BlockDevice]:
    """The disks an array is made of.

    Raises:
        DeviceNotFound: A disk that was named is not there, or there are fewer than the level needs.
        InvalidRequest: A hint is not understood.
    """
    chosen: list[BlockDevice] = []
    for wish in volume.disks:
        hints = wish if isinstance(wish, Mapping) else {"name": f"s== {wish}"}
        found = [device for device in find_devices(devices, hints) if device not in chosen]
        if not found:
            raise DeviceNotFound(f"no disk for RAID {volume.level} matches {wish!r}")
        chosen.append(found[0])
    chosen = chosen or list(devices)
    if volume.disk_count is not None:
        chosen = chosen[: volume.disk_count]
    least = max(_LEVELS[volume.level][1], volume.disk_count or 0)
    if len(chosen) < least:
        raise DeviceNotFound(f"RAID {volume.level} needs {least} disks, there are {len(chosen)}")
    return chosen
