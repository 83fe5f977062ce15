"""Refusing to erase disks that other machines use too.

Shared cluster file systems live on disks several machines see; erasing one of them here would take it from
all.

Source: partition types of the UEFI and MBR registries; linux/gfs2_ondisk.h.
"""

from bessemer_agent.disk import Disk
from bessemer_agent.error import EraseFailed
from bessemer_agent.partition import PartitionTableError
from bessemer_agent.partition.table import read_table

_KINDS = {
    "37AFFC90-EF7D-4E96-91C3-2D7AE055B174": "IBM Spectrum Scale (GPFS)",
    "AA31E02A-400F-11DB-9590-000C2911D1B8": "VMware VMFS",
    "0xfb": "VMware VMFS",
}
_GFS2_OFFSET, _GFS2_MAGIC = 64 * 1024, b"\x01\x16\x19\x70"
_VMFS_OFFSET, _VMFS_MAGIC = 1024**2, b"\x0d\xd0\x01\xc0"


def refuse_shared_filesystem(disk: Disk) -> None:
    """Look for a shared file system on the disk and its partitions.

    Raises:
        EraseFailed: There is one; names it and how to switch this guard off.
    """
    try:
        table = read_table(disk)
    except PartitionTableError:
        table = None
    partitions = table.partitions if table else []
    found = next((_KINDS[part.kind] for part in partitions if part.kind in _KINDS), None)
    for start in [0, *(part.start for part in partitions)]:
        if disk.read(start + _GFS2_OFFSET, 4) == _GFS2_MAGIC:
            found = "Red Hat GFS2"
        elif disk.read(start + _VMFS_OFFSET, 4) == _VMFS_MAGIC:
            found = "VMware VMFS"
    if found:
        raise EraseFailed(
            f"{disk.path} holds a {found} file system, which other machines may use;"
            " boot with ipa-guard-special-filesystems=false to erase it all the same"
        )
