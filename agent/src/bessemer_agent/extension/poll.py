"""Commands of the ``poll`` extension: what the service may ask an agent at any time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.progress import Progress


def get_hardware_info(context: Context, progress: Progress) -> dict[str, object]:
    """The hardware inventory."""
    from bessemer_agent.inventory.hardware import collect_hardware

    del progress
    machine = context.machine
    return collect_hardware(machine.list_devices(), context.settings.boot_mac, Path(machine.root))


def set_node_info(context: Context, progress: Progress, *, node_info: Mapping[str, Any]) -> None:
    """Tell an agent without lookup whose node it is: ``{node, config}`` as lookup answers."""
    del progress
    context.node = node_info.get("node") or node_info
    context.config = node_info.get("config") or {}
