"""Partition tables, read and written directly.

No external tool: what is done here (move the backup table, add one partition) is a few checksummed sectors,
while the tools differ in what they report, refuse and silently ignore.
"""

from typing import NamedTuple

from bessemer_agent.error import DeviceError


class PartitionTableError(DeviceError):
    """The partition table is not usable."""


class NoRoom(PartitionTableError):
    """There is no room for another partition."""


class Partition(NamedTuple):
    """One partition of either kind of table."""

    number: int
    #: Bytes from the disk's start.
    start: int
    #: Bytes.
    size: int
    #: Type: an upper-case GUID, or the MBR's number as "0x83".
    kind: str
    #: GPT only; empty otherwise.
    name: str
    #: The partition's own GUID in lower case; GPT only, empty otherwise.
    uuid: str
