"""The step that writes the operating system."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer_agent.config_drive import fetch_config_drive, write_config_drive
from bessemer_agent.context import Context
from bessemer_agent.disk import Disk
from bessemer_agent.error import InvalidRequest
from bessemer_agent.image.download import Patience
from bessemer_agent.image.write import Rules, check_image_info
from bessemer_agent.image.write import write_image as write_image_to
from bessemer_agent.journal import say
from bessemer_agent.partition.gpt import Gpt
from bessemer_agent.partition.mbr import read_mbr
from bessemer_agent.partition.table import Table, read_table
from bessemer_agent.progress import Progress


def write_image(
    context: Context,
    progress: Progress,
    *,
    node: Mapping[str, Any],
    ports: Sequence[Mapping[str, Any]],
    image_info: object,
    configdrive: object = None,
) -> str:
    """Write an image and a config drive to the root disk; a sentence saying where. Repeating it writes again.

    What can be checked beforehand is: the description, the config drive, and that a disk fits.

    Raises:
        InvalidRequest, DeviceNotFound, ConfigDriveError, ImageError, DeviceError: As they say.
    """
    del node, ports
    if not isinstance(image_info, Mapping):
        raise InvalidRequest("image_info must be an object")
    check_image_info(image_info)
    client = context.image_client
    content = fetch_config_drive(_text(configdrive), client) if configdrive else None
    device = context.choose_root_device()
    context.root_disk, context.partition_uuids = device.name, {}
    is_zeroed = device.name in context.zeroed_disks
    context.zeroed_disks.discard(device.name)
    settings = context.settings
    patience = Patience(
        settings.image_download_connection_retries,
        settings.image_download_connection_retry_interval,
        settings.image_download_max_duration,
    )
    with context.machine.open_disk(device.name) as disk:
        written = write_image_to(
            image_info,
            disk,
            client=client,
            progress=progress,
            rules=_read_rules(context.config),
            patience=patience,
            is_zeroed=is_zeroed,
        )
        progress.begin("partition table")
        table = settle_table(disk)
        context.partition_uuids = describe_table(disk, table)
        if content is not None:
            progress.begin("config drive", len(content))
            write_config_drive(disk, content)
            progress.add(len(content))
    say("image written", disk=device.name, size=written.image_bytes, downloaded=written.downloaded_bytes)
    return f"image ({image_info['id']}) written to device {device.name}"


def settle_table(disk: Disk) -> Table | None:
    """Fit the image's partition table to the disk: the backup GPT goes to the disk's end. Idempotent.

    Raises:
        PartitionTableError: The image's table is damaged, or for disks with another sector size.
        DeviceError: The disk failed, or its partitions stay in use.
    """
    table = read_table(disk)
    if isinstance(table, Gpt):
        table.write(disk)
    disk.reread_partitions()
    return table


def describe_table(disk: Disk, table: Table | None) -> dict[str, object]:
    """The identifiers ``standby.get_partition_uuids`` tells of a whole-disk image.

    ``root uuid`` is the MBR's disk signature, which is what boot loaders find the disk by; the others
    belong to partition images and are None.
    """
    signature = int.from_bytes(disk.read(440, 4), "little")
    mbr = read_mbr(disk)
    return {
        "root uuid": mbr.identifier if mbr else f"0x{signature:08x}",
        "efi system partition uuid": None,
        "PReP Boot partition uuid": None,
        "partitions": {str(part.number): part.uuid for part in table.partitions} if table else {},
    }


def _read_rules(config: Mapping[str, Any]) -> Rules:
    permitted = config.get("permitted_image_formats")
    return Rules(
        is_md5_enabled=bool(config.get("agent_md5_checksum_enable")),
        permitted_formats=tuple(permitted) if isinstance(permitted, list) else (),
        is_deep_inspection=not config.get("disable_deep_image_inspection"),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequest("configdrive must be text")
    return value
