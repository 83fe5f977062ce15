"""Whichever partition table a disk has, and waiting for its device nodes."""

import os
import time

from bessemer_agent.disk import Disk
from bessemer_agent.error import DeviceError
from bessemer_agent.partition import Partition, gpt, mbr
from bessemer_agent.partition.gpt import Gpt, read_gpt
from bessemer_agent.partition.mbr import Mbr, read_mbr

Table = Gpt | Mbr


def read_table(disk: Disk) -> Table | None:
    """The disk's partition table; None for an empty disk or a file system without one.

    Raises:
        PartitionTableError: A GPT is damaged, or made for another sector size.
    """
    return read_gpt(disk) or read_mbr(disk)


def find_esp(table: Table) -> Partition | None:
    """The EFI system partition; None when there is none."""
    return next((part for part in table.partitions if part.kind in (gpt.ESP, mbr.ESP)), None)


def linux_data_kind(table: Table) -> str:
    """The type of an ordinary Linux partition in this kind of table."""
    return gpt.LINUX_DATA if isinstance(table, Gpt) else mbr.LINUX_DATA


def partition_node(disk_path: str, number: int) -> str:
    """The device node of a partition: ``/dev/sda1``, ``/dev/nvme0n1p1``."""
    return f"{disk_path}{'p' if disk_path[-1].isdigit() else ''}{number}"


def wait_for_node(disk_path: str, number: int, timeout_s: float = 20.0) -> str:
    """Wait until a partition's node exists; they lag behind a change of the table.

    Raises:
        DeviceError: It did not appear in time.
    """
    node = partition_node(disk_path, number)
    deadline = time.monotonic() + timeout_s
    while not os.path.exists(node):  # noqa: PTH110 - paths are plain strings here
        if time.monotonic() > deadline:
            raise DeviceError(f"{node} did not appear within {timeout_s:.0f} s")
        time.sleep(0.05)
    return node
