"""Commands of the ``standby`` extension: the image, and the end of the ramdisk."""

import os
from collections.abc import Mapping
from typing import Any

from bessemer_agent.context import Context
from bessemer_agent.error import InvalidImage
from bessemer_agent.progress import Progress


def check_prepare_image(image_info: object, configdrive: object = None) -> None:
    """Refuse an image description nobody could follow.

    Raises:
        InvalidImage: As it says.
    """
    from bessemer_agent.image.write import check_image_info

    del configdrive
    if not isinstance(image_info, Mapping):
        raise InvalidImage("image_info must be an object")
    check_image_info(image_info)


def prepare_image(
    context: Context, progress: Progress, *, image_info: Mapping[str, Any], configdrive: str | None = None
) -> str:
    """Write an image, as the deploy step ``write_image`` does."""
    from bessemer_agent.step.image import write_image

    return write_image(
        context, progress, node=context.node, ports=[], image_info=image_info, configdrive=configdrive
    )


def get_partition_uuids(context: Context, progress: Progress) -> dict[str, object]:
    """Identifiers found on the disk the last image went to; empty before."""
    del progress
    return context.partition_uuids


def sync(context: Context, progress: Progress) -> None:
    """Write everything that is still in memory to the disks."""
    del context, progress
    os.sync()


def power_off(context: Context, progress: Progress) -> None:
    """Power off, shortly after the answer."""
    del progress
    context.machine.power.turn_off()


def run_image(context: Context, progress: Progress) -> None:
    """Reboot, shortly after the answer."""
    del progress
    context.machine.power.reboot()
