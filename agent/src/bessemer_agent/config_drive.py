"""The config drive: a small file system labelled ``config-2`` that the deployed system reads its identity
from.

It is written into an existing ``config-2`` partition of the disk (of the image, or of a former deployment),
else into a new one at the disk's end.

Source: OpenStack's config drive format; Ironic's documentation of ``configdrive``.
"""

import base64
import binascii
import zlib

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import AgentError, ConfigDriveError
from bessemer_agent.http_client import TRANSPORT_ERRORS, HttpClient, without_query
from bessemer_agent.journal import say
from bessemer_agent.partition import NoRoom, Partition
from bessemer_agent.partition.table import Table, linux_data_kind, read_table

LABEL = "config-2"
#: Largest config drive, and size of the partition made for it where there is that much room: a rebuild may
#: bring a larger one.
LIMIT_BYTES = 64 * MIB
#: Base64 needs a third more.
_LIMIT_TEXT_BYTES = LIMIT_BYTES * 3 // 2
_GZIP_MAGIC = b"\x1f\x8b"
#: Enough of a partition to find a file system's label in.
_HEAD_BYTES = 36 * 1024


def fetch_config_drive(given: str, client: HttpClient) -> bytes:
    """The config drive's content from what the service gave: base64 of a gzip file, or the URL of such.

    Raises:
        ConfigDriveError: It cannot be fetched, is no base64 or gzip, is empty, or larger than 64 MiB.
    """
    text = given.strip()
    if not text.startswith(("http://", "https://")):
        return decode_config_drive(text.encode())
    try:
        return decode_config_drive(client.fetch(text, limit_bytes=_LIMIT_TEXT_BYTES))
    except ConfigDriveError:
        raise
    except (AgentError, *TRANSPORT_ERRORS) as error:
        raise ConfigDriveError(f"it could not be fetched from {without_query(text)}: {error}") from error


def decode_config_drive(data: bytes) -> bytes:
    """Undo base64 (unless ``data`` is a gzip file as it is) and gzip.

    Raises:
        ConfigDriveError: As :func:`fetch_config_drive`.
    """
    if not data.startswith(_GZIP_MAGIC):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise ConfigDriveError(f"it is not base64: {error}") from error
    if data.startswith(_GZIP_MAGIC):
        data = _gunzip(data)
    if not data:
        raise ConfigDriveError("it is empty")
    if len(data) > LIMIT_BYTES:
        raise ConfigDriveError(f"it is larger than {LIMIT_BYTES // MIB} MiB")
    return data


def write_config_drive(disk: Disk, content: bytes) -> Partition:
    """Put the config drive on the disk; the partition it went to. Idempotent.

    Raises:
        ConfigDriveError: The disk has no partition table, no room, or its config-2 partition is too small.
        DeviceError: The disk failed.
    """
    table = read_table(disk)
    if table is None:
        raise ConfigDriveError(f"{disk.path} has no partition table to add it to")
    partition = find_config_partition(disk, table)
    if partition is None:
        partition = _add_partition(disk, table, len(content))
        table.write(disk)
    elif partition.size < len(content):
        raise ConfigDriveError(
            f"partition {partition.number} is labelled {LABEL} and has {partition.size} bytes,"
            f" the config drive has {len(content)}"
        )
    disk.write(partition.start, content)
    disk.flush()
    disk.reread_partitions()
    say("config drive written", disk=disk.path, partition=partition.number, size=len(content))
    return partition


def find_config_partition(disk: Disk, table: Table) -> Partition | None:
    """The partition named, or holding a file system labelled, config-2; None when there is none."""
    for partition in table.partitions:
        labels = (partition.name, read_label(disk.read(partition.start, _HEAD_BYTES)) or "")
        if LABEL in (label.lower() for label in labels):
            return partition
    return None


def read_label(head: bytes) -> str | None:
    """The label of an ISO 9660 or FAT file system that begins with ``head``; None for anything else."""
    if head[32769:32774] == b"CD001":
        return head[32808:32840].decode("ascii", "replace").strip()
    if head[510:512] == b"\x55\xaa":
        for kind_offset, label_offset in ((82, 71), (54, 43)):  # FAT32, then FAT12 and FAT16
            if head[kind_offset : kind_offset + 3] == b"FAT":
                return head[label_offset : label_offset + 11].decode("ascii", "replace").strip()
    return None


def _add_partition(disk: Disk, table: Table, size: int) -> Partition:
    least = -(-size // MIB) * MIB
    for wanted in (LIMIT_BYTES, least):
        try:
            return table.add_at_end(disk.size_bytes, wanted, linux_data_kind(table), LABEL)
        except NoRoom as error:
            refused = error
    raise ConfigDriveError(f"{disk.path}: {refused.details}")


def _gunzip(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, LIMIT_BYTES + 1)
    except zlib.error as error:
        raise ConfigDriveError(f"its gzip file is damaged: {error}") from error
    if len(plain) <= LIMIT_BYTES and not unpacker.eof:
        raise ConfigDriveError("its gzip file ends early")
    return plain
