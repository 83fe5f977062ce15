"""Erasing disks: by what each disk can do, best first."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.root_device import read_skipped, without_skipped

#: Told the bytes done, or None for work without a measure.
Counted = Callable[[int], None]


class Options(NamedTuple):
    """How a node wants its disks erased; names in ``driver_internal_info`` as in Ironic."""

    #: Passes of random data before the zeros, for disks that only overwriting helps.
    random_passes: int = 0
    #: End with zeros.
    is_zeroing: bool = True
    is_ata_enabled: bool = True
    is_nvme_enabled: bool = True
    #: Whether a failed secure erase is followed by the next best method instead of an error.
    may_continue: bool = False
    #: Disks erased at the same time.
    concurrency: int = 4


def read_options(node: Mapping[str, object]) -> Options:
    """The options in a node's ``driver_internal_info``; absent ones keep their defaults."""
    info = node.get("driver_internal_info")
    info = info if isinstance(info, Mapping) else {}
    defaults = Options()

    def flag(name: str, default: bool) -> bool:
        value = info.get(name)
        return default if value is None else str(value).lower() in ("true", "1", "yes", "on")

    def number(name: str, default: int) -> int:
        value = str(info.get(name, ""))
        return int(value) if value.isdigit() else default

    return Options(
        random_passes=number("agent_erase_devices_iterations", defaults.random_passes),
        is_zeroing=flag("agent_erase_devices_zeroize", defaults.is_zeroing),
        is_ata_enabled=flag("agent_enable_ata_secure_erase", defaults.is_ata_enabled),
        is_nvme_enabled=flag("agent_enable_nvme_secure_erase", defaults.is_nvme_enabled),
        may_continue=flag("agent_continue_if_secure_erase_failed", defaults.may_continue),
        concurrency=max(1, number("disk_erasure_concurrency", defaults.concurrency)),
    )


def list_erasable(devices: Sequence[BlockDevice], node: Mapping[str, object]) -> list[BlockDevice]:
    """The disks that may be erased: not read-only, not removable (virtual media), not skipped by the node;
    no arrays, whose disks are erased themselves.

    Raises:
        InvalidRequest: ``properties.skip_block_devices`` is not understood.
    """
    kept = without_skipped(devices, read_skipped(node))
    disks = [device for device in kept if not device.name.startswith("/dev/md")]
    return [device for device in disks if not device.is_read_only and not device.is_removable]
