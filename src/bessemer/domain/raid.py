"""RAID configurations: the logical disks a node is to have.

Source: v1 contract, states: raid.target_raid_config, and software RAID in the agent.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from bessemer.kernel.error import InvalidValue

LEVELS: Final = ("JBOD", "0", "1", "2", "5", "6", "1+0", "5+0", "6+0")
#: The controller that is the operating system itself.
SOFTWARE: Final = "software"
#: Levels that a second software array may have; the first is always a mirror.
_SOFTWARE_LEVELS = ("0", "1", "1+0", "5", "6")
_REQUIRED = ("size_gb", "raid_level")


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_disks(value: object) -> bool:
    """Names of disks, or at least two objects of device hints."""
    if not isinstance(value, list) or not value:
        return False
    return all(map(_is_text, value)) or (len(value) > 1 and all(isinstance(v, dict) and v for v in value))


#: What each property of a logical disk may be: the test and its wording.
_PROPERTIES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = MappingProxyType({
    "size_gb": (lambda v: v == "MAX" or _is_whole(v, 0), "a whole number of GiB, or MAX"),
    "raid_level": (lambda v: v in LEVELS, f"one of {', '.join(LEVELS)}"),
    "volume_name": (_is_text, "text"),
    "is_root_volume": (lambda v: isinstance(v, bool), "true or false"),
    "share_physical_disks": (lambda v: isinstance(v, bool), "true or false"),
    "disk_type": (lambda v: v in ("hdd", "ssd"), "hdd or ssd"),
    "interface_type": (lambda v: v in ("sata", "scsi", "sas"), "sata, scsi or sas"),
    "number_of_physical_disks": (lambda v: _is_whole(v, 1), "a whole number above 0"),
    "controller": (_is_text, "text"),
    "physical_disks": (_is_disks, "a list of disk names, or of two or more objects of device hints"),
})  # fmt: skip


def check_raid_config(config: object) -> None:
    """Whether ``config`` can be a node's ``target_raid_config``; ``{}`` takes an earlier one back.

    Raises:
        InvalidValue: The message names the logical disk and the property that cannot be right.
    """
    if not isinstance(config, Mapping):
        raise InvalidValue("A RAID configuration must be an object.")
    if not config:
        return
    unknown = sorted(map(str, config.keys() - {"logical_disks"}))
    if unknown:
        raise InvalidValue(f"A RAID configuration has no '{unknown[0]}'.", hint="Only logical_disks.")
    disks = config["logical_disks"]
    if not isinstance(disks, list) or not disks:
        raise InvalidValue("A RAID configuration needs a list of logical_disks with at least one item.")
    for number, disk in enumerate(disks):
        _check_disk(f"logical_disks[{number}]", disk)
    if sum(disk.get("is_root_volume", False) for disk in disks) > 1:
        raise InvalidValue("At most one logical disk can be the root volume.")


def _check_disk(where: str, disk: object) -> None:
    if not isinstance(disk, Mapping):
        raise InvalidValue(f"{where} must be an object.")
    for name in _REQUIRED:
        if name not in disk:
            raise InvalidValue(f"{where} lacks '{name}'.")
    for name, value in disk.items():
        if name not in _PROPERTIES:
            raise InvalidValue(f"{where} has no '{name}'.", hint=f"Properties: {', '.join(_PROPERTIES)}.")
        is_right, wording = _PROPERTIES[name]
        if not is_right(value):
            raise InvalidValue(f"{where}.{name} must be {wording}.")
    if "physical_disks" in disk and "controller" not in disk:
        raise InvalidValue(f"{where} names physical_disks without a controller.")


def is_software(config: Mapping[str, Any]) -> bool:
    """Whether any logical disk is asked of the operating system."""
    return any(disk.get("controller") == SOFTWARE for disk in config.get("logical_disks", ()))


def check_software_raid(config: Mapping[str, Any]) -> None:
    """Whether the agent can make these arrays. Raises InvalidValue; also as ``check_raid_config``."""
    check_raid_config(config)
    disks: Sequence[Mapping[str, Any]] = config.get("logical_disks", ())
    if any(disk.get("controller") != SOFTWARE for disk in disks):
        raise InvalidValue("Software RAID needs the controller 'software' on every logical disk.")
    if len(disks) > 2:
        raise InvalidValue("Software RAID makes at most two logical disks.")
    for number, disk in enumerate(disks):
        levels = ("1",) if number == 0 else _SOFTWARE_LEVELS
        if disk["raid_level"] not in levels:
            raise InvalidValue(
                f"logical_disks[{number}].raid_level can not be {disk['raid_level']} in software RAID.",
                hint=f"Here: {', '.join(levels)}.",
            )
    if sum(disk["size_gb"] == "MAX" for disk in disks) > 1:
        raise InvalidValue("Only one logical disk can have the size MAX.")
    names = [disk["volume_name"] for disk in disks if "volume_name" in disk]
    if len(set(names)) < len(names):
        raise InvalidValue("Two logical disks have the same volume_name.")
