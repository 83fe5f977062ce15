"""Commands of the ``image`` extension: making the deployed disk bootable."""

from pathlib import Path

from bessemer_agent.boot_entry import Loader, ensure_boot_entries, find_loader
from bessemer_agent.context import Context
from bessemer_agent.error import AgentError, BootEntryError, ChildFailed
from bessemer_agent.inventory.firmware import read_boot_mode
from bessemer_agent.journal import say
from bessemer_agent.partition import Partition
from bessemer_agent.partition.table import find_esp, read_table, wait_for_node
from bessemer_agent.progress import Progress
from bessemer_agent.raid.array import list_arrays
from bessemer_agent.raid.layout import ESP_NUMBER
from bessemer_agent.raid.root import copy_esp

_MOUNT_ATTEMPTS = 3


def install_bootloader(
    context: Context,
    progress: Progress,
    *,
    root_uuid: str | None = None,
    efi_system_part_uuid: str | None = None,
    prep_boot_part_uuid: str | None = None,
    target_boot_mode: str = "bios",
    ignore_bootloader_failure: bool | None = None,
) -> str:
    """Make the firmware boot the whole-disk image just written; a sentence saying how. Idempotent.

    Under UEFI that is a boot entry for the image's own loader, put first. Under BIOS there is nothing to
    do: the image brings its boot sector. How this ramdisk was booted decides: boot entries cannot be
    reached otherwise.

    Raises:
        BootEntryError: No EFI system partition or loader is on the disk, or the firmware refused; only logged
            with ``ignore_bootloader_failure``.
        DeviceError, DeviceNotFound: The disk cannot be used.
    """
    del root_uuid, efi_system_part_uuid, prep_boot_part_uuid
    progress.begin("boot entry")
    if read_boot_mode(Path(context.machine.root)) != "uefi":
        if target_boot_mode == "uefi":
            say(
                "asked for UEFI, but this ramdisk was booted by BIOS: the firmware's entries are out of reach"
            )
        return "nothing to do for BIOS"
    try:
        return _install_uefi(context)
    except AgentError as error:
        if not ignore_bootloader_failure:
            raise
        say("boot entry not made, as allowed", why=error)
        return f"ignored: {error.details}"


def _install_uefi(context: Context) -> str:
    disk_path = context.root_disk or context.choose_root_device().name
    with context.machine.open_disk(disk_path) as disk:
        table = read_table(disk)
    esp = find_esp(table) if table else None
    if esp is None:
        raise BootEntryError(f"{disk_path} has no EFI system partition")
    places = _places(context, disk_path, esp)
    loader = _read_loader(context, *places[0])
    ensure_boot_entries(places, loader, context.machine.run)
    return f"boot entry {loader.label!r} for {loader.path} on {', '.join(disk for disk, _ in places)}"


def _places(context: Context, disk_path: str, esp: Partition) -> list[tuple[str, int]]:
    """Disks and numbers of the partitions that firmware boots from: the image's own, or copies of it where
    the image went to an array, which firmware cannot read.
    """
    array = next(
        (array for array in list_arrays(Path(context.machine.root)) if array.name == disk_path), None
    )
    if array is None:
        return [(disk_path, esp.number)]
    places = []
    with context.machine.open_disk(disk_path) as source:
        for name in array.disks:
            with context.machine.open_disk(wait_for_node(name, ESP_NUMBER)) as target:
                copy_esp(source, esp, target)
            places.append((name, ESP_NUMBER))
    return places


def _read_loader(context: Context, disk_path: str, number: int) -> Loader:
    """Look into the partition; its node may vanish for a moment while udev reads the table again."""
    for attempt in range(1, _MOUNT_ATTEMPTS + 1):
        context.machine.run(["udevadm", "settle", "--timeout=15"], timeout_s=30, check=False)
        node = wait_for_node(disk_path, number)
        try:
            with context.machine.mount(node, "vfat") as folder:
                return find_loader(folder)
        except ChildFailed as error:
            if attempt == _MOUNT_ATTEMPTS:
                raise BootEntryError(f"the EFI system partition cannot be read: {error.details}") from error
    raise AssertionError("unreachable")
