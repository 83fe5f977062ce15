"""Node properties that follow from an inventory.

Source: v1 contract, node properties; the inventory documented for ironic-python-agent.
"""

from collections.abc import Mapping
from typing import Any, Final

from bessemer.domain.capability import format_capabilities, parse_capabilities
from bessemer.domain.inspection.report import Report
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]

_GIB: Final = 2**30
#: A disk smaller than this is no root disk (boot media, flash cards).
_LEAST_ROOT_BYTES: Final = 4 * _GIB
_BOOT_MODES: Final = ("uefi", "bios")


def found_properties(report: Report, known: Mapping[str, Any]) -> JsonObject:
    """The properties to set on a node that has ``known`` ones; what the inventory does not tell is left out.

    Raises:
        InvalidValue: The node's capabilities cannot be read, so that none can be added.
    """
    inventory = report.inventory
    cpu, memory, boot = (_object(inventory, name) for name in ("cpu", "memory", "boot"))
    architecture, mode = cpu.get("architecture"), boot.get("current_boot_mode")
    found = {
        "cpus": _count(cpu, "count"),
        "cpu_arch": architecture if isinstance(architecture, str) and architecture else None,
        "memory_mb": _count(memory, "physical_mb"),
        "local_gb": _local_gb(report),
        "capabilities": _with_boot_mode(known, mode) if mode in _BOOT_MODES else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _with_boot_mode(known: Mapping[str, Any], mode: str) -> str:
    try:
        capabilities = parse_capabilities(known.get("capabilities"))
    except InvalidValue as error:
        raise InvalidValue(f"The node's capabilities stand in the way: {error.message}") from error
    return format_capabilities({**capabilities, "boot_mode": mode})


def _local_gb(report: Report) -> int | None:
    """Size of the disk that an image goes to: the ramdisk names it, else the smallest that is big enough."""
    root = report.plugin_data.get("root_disk")
    size = _count(root, "size") if isinstance(root, dict) else None
    if size is None:
        disks = report.inventory.get("disks")
        listed = disks if isinstance(disks, list) else []
        sizes = [_count(disk, "size") for disk in listed if isinstance(disk, dict)]
        size = min((size for size in sizes if size and size >= _LEAST_ROOT_BYTES), default=None)
    return size // _GIB if size else None


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _count(document: Mapping[str, Any], name: str) -> int | None:
    """A number above zero; None for anything else."""
    value = document.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if is_number else None
