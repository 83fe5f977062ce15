"""Erasing one disk, or all of them at once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bessemer_agent.child import Run
from bessemer_agent.disk import Disk
from bessemer_agent.erase import Counted, Options
from bessemer_agent.erase.ata import TRANSPORTS, erase_ata
from bessemer_agent.erase.guard import refuse_shared_filesystem
from bessemer_agent.erase.nvme import erase_nvme
from bessemer_agent.erase.overwrite import discard_and_zero, overwrite
from bessemer_agent.error import EraseFailed
from bessemer_agent.inventory.block_device import BlockDevice
from bessemer_agent.journal import say

OpenDisk = Callable[[str], Disk]


class Erased(NamedTuple):
    """How a disk was erased."""

    method: str
    #: Whether all of it reads as zeros now.
    is_zeroed: bool


class Eraser:
    """Erases disks with one set of options.

    Args:
        options: What the node wants.
        run: Runs the drives' own tools.
        open_disk: Opens a disk exclusively.
        is_guarded: Refuse disks with shared cluster file systems.
    """

    def __init__(self, options: Options, run: Run, open_disk: OpenDisk, is_guarded: bool = True) -> None:
        self._options = options
        self._run = run
        self._open_disk = open_disk
        self._is_guarded = is_guarded

    def erase(self, device: BlockDevice, counted: Counted) -> Erased:
        """Erase everything on one disk: by the drive itself, else by discard and zeros, else by overwriting.

        Raises:
            EraseFailed: It is in use, guarded, or failed.
            DeviceError: It failed.
        """
        if self._is_guarded:
            with self._open_disk(device.name) as disk:
                refuse_shared_filesystem(disk)
        method = self._erase_by_drive(device)
        if method:
            counted(device.size)
            with self._open_disk(device.name) as disk:
                disk.reread_partitions()
            return Erased(method, is_zeroed=False)
        with self._open_disk(device.name) as disk:
            options = self._options
            if discard_and_zero(disk, counted):
                erased = Erased("discarded and zeroed", is_zeroed=True)
            else:
                overwrite(disk, options.random_passes, options.is_zeroing, counted)
                is_zeroed = options.is_zeroing or not options.random_passes
                told = f"overwritten {options.random_passes} times, " if options.random_passes else ""
                erased = Erased(told + ("zeroed" if is_zeroed else "not zeroed"), is_zeroed)
            disk.reread_partitions()
        return erased

    def erase_express(self, device: BlockDevice, wipe: Callable[[Disk], None]) -> Erased:
        """The drive's own erasure where that takes seconds (NVMe), else only the metadata with ``wipe``.

        Raises:
            EraseFailed, DeviceError: As :meth:`erase`.
        """
        if self._is_guarded:
            with self._open_disk(device.name) as disk:
                refuse_shared_filesystem(disk)
        method = self._erase_by_drive(device) if device.tran == "nvme" else None
        with self._open_disk(device.name) as disk:
            if not method:
                wipe(disk)
            disk.reread_partitions()
        return Erased(method or "metadata wiped", is_zeroed=False)

    def _erase_by_drive(self, device: BlockDevice) -> str | None:
        try:
            if device.tran == "nvme" and self._options.is_nvme_enabled:
                return erase_nvme(device.name, self._run)
            if device.tran in TRANSPORTS and self._options.is_ata_enabled:
                return erase_ata(device.name, self._run)
        except EraseFailed as error:
            if not self._options.may_continue:
                raise
            say("secure erase failed, going on with the next method", disk=device.name, why=error)
        return None


def for_each_device(
    devices: Sequence[BlockDevice], work: Callable[[BlockDevice], Erased], concurrency: int
) -> Mapping[str, Erased]:
    """Do ``work`` on several disks at a time; all are tried, whatever happens to one.

    Raises:
        EraseFailed: At least one failed; says which and why.
    """
    done: dict[str, Erased] = {}
    failed: dict[str, str] = {}
    waiting = list(reversed(devices))
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                device = waiting.pop()
            try:
                erased = work(device)
            except Exception as error:  # noqa: BLE001 - a disk that is not erased must never pass for one that is
                failed[device.name] = str(error) or type(error).__name__
                say("disk not erased", disk=device.name, why=error)
            else:
                done[device.name] = erased
                say("disk erased", disk=device.name, how=erased.method)

    threads = [threading.Thread(target=run, name=f"erase-{n}") for n in range(min(concurrency, len(devices)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise EraseFailed("; ".join(f"{name}: {why}" for name, why in sorted(failed.items())))
    return done
