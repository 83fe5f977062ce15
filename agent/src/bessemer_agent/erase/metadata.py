"""Wiping what makes a disk look used: partition tables, file systems, RAID and LVM members.

Every such signature lies in the first or last MiB of the disk or partition it describes (md 0.90 and 1.0,
DDF, the backup GPT and ZFS at the end; the rest at the start), but for the copies btrfs keeps further in.

Source: the formats' published layouts, as collected by util-linux' libblkid.
"""

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.journal import say
from bessemer_agent.partition import PartitionTableError
from bessemer_agent.partition.table import read_table

_END_BYTES = MIB
#: btrfs keeps superblocks of 4 KiB here as well.
_BTRFS_COPIES = (64 * MIB, 256 * 1024 * MIB)
_COPY_BYTES = 4096


def wipe_metadata(disk: Disk) -> None:
    """Wipe the signatures on all partitions, then those of the disk itself. Idempotent.

    The partition table goes last, so that a wipe that was interrupted still finds the partitions.

    Raises:
        DeviceError: The disk failed, or a partition of it is in use.
    """
    try:
        table = read_table(disk)
    except PartitionTableError as error:
        say("partition table not readable, wiping the disk's ends only", disk=disk.path, why=error)
        table = None
    for partition in table.partitions if table else []:
        _wipe_range(disk, partition.start, partition.size)
    _wipe_range(disk, 0, disk.size_bytes)
    disk.flush()
    disk.reread_partitions()


def _wipe_range(disk: Disk, start: int, size: int) -> None:
    end = min(start + size, disk.size_bytes)
    for offset in _BTRFS_COPIES:
        if start + offset + _COPY_BYTES <= end:
            disk.zero(start + offset, _COPY_BYTES)
    first = min(_END_BYTES, end - start)
    disk.zero(end - first, first)
    disk.zero(start, first)
