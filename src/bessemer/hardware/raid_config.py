"""What a RAID configuration may say. Pure. Source: v1 contract, target_raid_config."""

from collections.abc import Callable, Mapping
from typing import Any

from bessemer.domain.node import JsonObject
from bessemer.kernel.error import InvalidValue

RAID_LEVELS = ("JBOD", "0", "1", "2", "5", "6", "1+0", "5+0", "6+0")

LOGICAL_DISK_PROPERTIES: Mapping[str, str] = {
    "controller": "Controller that carries the volume; 'software' is the operating system's. Optional.",
    "disk_type": "Kind of disks to use: hdd or ssd. Optional.",
    "interface_type": "Interface of the disks to use: sata, scsi or sas. Optional.",
    "is_root_volume": "Whether the operating system goes onto this volume; at most one may say so. Optional.",
    "number_of_physical_disks": "How many disks to use. Optional, by default the fewest that can do it.",
    "physical_disks": "The disks to use, as the controller names them. Needs 'controller'. Optional.",
    "raid_level": f"RAID level: {', '.join(RAID_LEVELS)}. Required.",
    "share_physical_disks": "Whether other volumes may use the same disks; false by default. Optional.",
    "size_gb": "Size in GiB, or MAX for all the room there is. Required.",
    "volume_name": "Name of the volume; made up when absent. Optional.",
}


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "controller": (lambda v: isinstance(v, str), "text"),
    "disk_type": (lambda v: v in ("hdd", "ssd"), "hdd or ssd"),
    "interface_type": (lambda v: v in ("sata", "scsi", "sas"), "sata, scsi or sas"),
    "is_root_volume": (lambda v: isinstance(v, bool), "true or false"),
    "number_of_physical_disks": (lambda v: _is_whole(v, 1), "a number above 0"),
    "physical_disks": (lambda v: isinstance(v, list) and bool(v), "a list"),
    "raid_level": (lambda v: v in RAID_LEVELS, f"one of {', '.join(RAID_LEVELS)}"),
    "share_physical_disks": (lambda v: isinstance(v, bool), "true or false"),
    "size_gb": (lambda v: v == "MAX" or _is_whole(v, 0), "a whole number of GiB or MAX"),
    "volume_name": (lambda v: isinstance(v, str), "text"),
}


def check_raid_config(config: JsonObject) -> None:
    """Raises InvalidValue naming the logical disk and the property that cannot be right."""
    unknown = sorted(set(config) - {"logical_disks"})
    if unknown:
        raise InvalidValue(f"A RAID configuration has no '{unknown[0]}'.", hint="Only logical_disks.")
    disks = config.get("logical_disks")
    if not isinstance(disks, list) or not disks:
        raise InvalidValue("A RAID configuration needs a list of logical_disks with at least one item.")
    for number, disk in enumerate(disks):
        _check_disk(f"logical_disks[{number}]", disk)
    if sum(bool(disk.get("is_root_volume")) for disk in disks) > 1:
        raise InvalidValue("At most one logical disk can be the root volume.")


def _check_disk(where: str, disk: Any) -> None:
    if not isinstance(disk, dict):
        raise InvalidValue(f"{where} must be an object.")
    for name in ("size_gb", "raid_level"):
        if name not in disk:
            raise InvalidValue(f"{where} lacks '{name}'.")
    for name, value in disk.items():
        if name not in _CHECKS:
            raise InvalidValue(f"{where} has an unknown property '{name}'.")
        is_right, expected = _CHECKS[name]
        if not is_right(value):
            raise InvalidValue(f"{where}.{name} must be {expected}.")
    if "physical_disks" in disk and "controller" not in disk:
        raise InvalidValue(f"{where} names physical_disks without a controller.")
