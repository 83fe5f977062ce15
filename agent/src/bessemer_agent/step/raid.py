"""Steps that make and take away software RAID arrays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.disk import Disk
from bessemer_agent.erase import list_erasable
from bessemer_agent.erase.metadata import wipe_metadata
from bessemer_agent.error import InvalidRequest
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.journal import say
from bessemer_agent.partition import PartitionTableError
from bessemer_agent.partition.gpt import ESP, LINUX_RAID, new_gpt
from bessemer_agent.partition.table import read_table, wait_for_node
from bessemer_agent.progress import Progress
from bessemer_agent.raid.array import RaidError, assemble_arrays, create_array, list_arrays, stop_arrays
from bessemer_agent.raid.layout import ESP_BYTES, FIRST, Part, plan_parts
from bessemer_agent.raid.skip import list_skipped, read_entries
from bessemer_agent.raid.volume import Volume, choose_disks, read_volumes

_Node = Mapping[str, Any]
_Ports = Sequence[Mapping[str, Any]]
#: The parts of every array, in the order of the configuration.
_Plan = list[tuple[Volume, list[Part]]]


def create_configuration(
    context: Context, progress: Progress, *, node: _Node, ports: _Ports, delete_existing: object = False
) -> dict[str, object]:
    """Make the arrays of the node's ``target_raid_config``; what was made.

    Raises:
        InvalidRequest, DeviceNotFound, NoRoom: The configuration cannot be made of these disks; nothing was
            changed.
        RaidError: Disks are in use already (without ``delete_existing``), or the kernel refused.
    """
    if not isinstance(delete_existing, bool):
        raise InvalidRequest("delete_existing must be true or false")
    config = node.get("target_raid_config")
    plan = _plan(context, node, config)
    if delete_existing:
        delete_configuration(context, progress, node=node, ports=ports)
    progress.begin("create RAID")
    _refuse_used(context, sorted({part.disk for _, parts in plan for part in parts}))
    return {"logical_disks": _describe(config, plan, _make(context, plan))}


def apply_configuration(
    context: Context,
    progress: Progress,
    *,
    node: _Node,
    ports: _Ports,
    raid_config: object,
    delete_existing: object = True,
) -> dict[str, object]:
    """As ``create_configuration``, of the configuration given, in place of whatever arrays there are."""
    facts = {**node, "target_raid_config": raid_config}
    return create_configuration(context, progress, node=facts, ports=ports, delete_existing=delete_existing)


def delete_configuration(context: Context, progress: Progress, *, node: _Node, ports: _Ports) -> list[str]:
    """Take away all arrays but those skipped, and the partition tables of their disks; the disks. Idempotent.

    Raises:
        RaidError: An array is in use. DeviceError: A disk is.
    """
    del ports
    machine, root = context.machine, Path(context.machine.root)
    progress.begin("delete RAID")
    assemble_arrays(machine.run)
    arrays, disks = list_arrays(root), _list_disks(context, node)
    spared = list_skipped(arrays, machine.list_devices(), node, machine.run)
    arrays = [array for array in arrays if array not in spared]
    stop_arrays(arrays, machine.run)
    of_arrays = {disk for array in arrays for disk in array.disks}
    done = []
    for device in disks:
        with machine.open_disk(device.name) as disk:
            if device.name in of_arrays or _has_raid_partition(disk):
                wipe_metadata(disk)
                done.append(device.name)
    say("RAID deleted", arrays=len(arrays), disks=",".join(done))
    return done


def _plan(context: Context, node: _Node, config: object) -> _Plan:
    volumes = read_volumes(config)
    devices = _list_disks(context, node)
    chosen = [[device.name for device in choose_disks(volume, devices)] for volume in volumes]
    parts = plan_parts(volumes, chosen, {device.name: device.size for device in devices})
    return list(zip(volumes, parts, strict=True))


def _make(context: Context, plan: _Plan) -> list[str]:
    """Make the arrays; their device nodes."""
    nodes = _write_tables(context, plan)
    made = []
    for number, (volume, parts) in enumerate(plan):
        names = [nodes[part] for part in parts]
        device = create_array(number, volume.kernel_level, names, context.machine.run, name=volume.name)
        say("RAID array made", device=device, level=volume.level, parts=",".join(names))
        made.append(device)
    return made


def _describe(config: object, plan: _Plan, made: Sequence[str]) -> list[dict[str, object]]:
    asked = config["logical_disks"] if isinstance(config, Mapping) else []
    return [
        {**disk, "device": device, "physical_disks": [part.disk for part in parts]}
        for disk, device, (_, parts) in zip(asked, made, plan, strict=True)
    ]


def _list_disks(context: Context, node: _Node) -> list[BlockDevice]:
    """Disks that arrays may be made of: neither arrays themselves nor what must not be erased."""
    machine = context.machine
    if read_entries(node):
        assemble_arrays(machine.run)
    arrays, devices = list_arrays(Path(machine.root)), machine.list_devices()
    spared = list_skipped(arrays, devices, node, machine.run)
    taken = {array.name for array in arrays} | {disk for array in spared for disk in array.disks}
    return list_erasable([device for device in devices if device.name not in taken], node)


def _refuse_used(context: Context, names: Sequence[str]) -> None:
    """Raises RaidError for a disk with partitions: somebody may want what is on them."""
    for name in names:
        with context.machine.open_disk(name) as disk:
            table = read_table(disk)
            if table and table.partitions:
                raise RaidError(
                    f"{name} has partitions; delete or erase what is there first, or ask for delete_existing"
                )


def _has_raid_partition(disk: Disk) -> bool:
    try:
        table = read_table(disk)
    except PartitionTableError:  # no array made here lies there, or none that anybody could find
        return False
    return any(part.kind == LINUX_RAID for part in table.partitions) if table else False


def _write_tables(context: Context, plan: _Plan) -> dict[Part, str]:
    """Partition every disk of the plan; the device node of each part."""
    by_disk: dict[str, list[Part]] = {}
    for part in (part for _, parts in plan for part in parts):
        by_disk.setdefault(part.disk, []).append(part)
    nodes = {}
    for name, parts in by_disk.items():
        with context.machine.open_disk(name) as disk:
            wipe_metadata(disk)
            table = new_gpt(disk)
            table.add(FIRST, ESP_BYTES, ESP, "esp")
            numbers = {part: table.add(part.start, part.size, LINUX_RAID, "raid").number for part in parts}
            table.write(disk)
            disk.reread_partitions()
        for part, number in numbers.items():
            nodes[part] = wait_for_node(name, number)
    return nodes
