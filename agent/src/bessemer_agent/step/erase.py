"""Steps that erase disks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.disk import Disk
from bessemer_agent.erase import read_options
from bessemer_agent.erase.ata import TRANSPORTS, unlock_ata
from bessemer_agent.erase.device import Erased, Eraser, for_each_device
from bessemer_agent.erase.guard import refuse_shared_filesystem
from bessemer_agent.erase.metadata import wipe_metadata
from bessemer_agent.erase.target import list_targets
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.progress import Progress

_Node = Mapping[str, Any]
_Ports = Sequence[Mapping[str, Any]]


def erase_devices(context: Context, progress: Progress, *, node: _Node, ports: _Ports) -> dict[str, str]:
    """Erase all data on all disks; how each was erased. Idempotent.

    Raises:
        EraseFailed: A disk could not be erased; the others are.
    """
    del ports
    eraser = _build_eraser(context, node)
    return _erase_all(context, progress, node, lambda device: eraser.erase(device, progress.add))


def erase_devices_express(
    context: Context, progress: Progress, *, node: _Node, ports: _Ports
) -> dict[str, str]:
    """Erase within seconds: NVMe drives completely, the metadata of others. Idempotent.

    Raises:
        EraseFailed: A disk could not be erased; the others are.
    """
    del ports
    eraser = _build_eraser(context, node)
    return _erase_all(context, progress, node, lambda device: eraser.erase_express(device, wipe_metadata))


def erase_devices_metadata(
    context: Context, progress: Progress, *, node: _Node, ports: _Ports
) -> dict[str, str]:
    """Wipe partition tables and file system signatures of all disks. Idempotent.

    Raises:
        EraseFailed: A disk could not be wiped; the others are.
    """
    del ports
    is_guarded = context.settings.guard_special_filesystems

    def wipe(device: BlockDevice) -> Erased:
        with context.machine.open_disk(device.name) as disk:
            if is_guarded:
                refuse_shared_filesystem(disk)
            wipe_metadata(disk)
        return Erased("metadata wiped", is_zeroed=False)

    return _erase_all(context, progress, node, wipe)


def _build_eraser(context: Context, node: _Node) -> Eraser:
    machine = context.machine
    open_disk: Callable[[str], Disk] = machine.open_disk
    return Eraser(read_options(node), machine.run, open_disk, context.settings.guard_special_filesystems)


def _erase_all(
    context: Context, progress: Progress, node: _Node, work: Callable[[BlockDevice], Erased]
) -> dict[str, str]:
    devices = list_targets(context.machine, node)
    progress.begin("erase", sum(device.size for device in devices))

    def unlocked(device: BlockDevice) -> Erased:
        if device.tran in TRANSPORTS:
            unlock_ata(device.name, context.machine.run)
        return work(device)

    done = for_each_device(devices, unlocked, read_options(node).concurrency)
    context.zeroed_disks.update(name for name, erased in done.items() if erased.is_zeroed)
    return {name: erased.method for name, erased in done.items()}
