"""Erasing through the ordinary data path: discard, random passes, zeros; and looking whether it worked."""

import os

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.erase import Counted
from bessemer_agent.error import EraseFailed

#: Random data is made once for this much disk: it hides what was there, it is not a secret.
_RANDOM_REUSED_BYTES = 64 * MIB
_SAMPLES = 64
_SAMPLE_BYTES = 4096


def discard_and_zero(disk: Disk, counted: Counted) -> bool:
    """Discard the whole disk, then make it read as zeros; False when it takes no discards.

    Zeros are asked of the disk in any case (it makes them without data transfer where it can): what discarded
    blocks read as is the drive's choice, and the next tenant's question.

    Raises:
        DeviceError: The disk failed.
        EraseFailed: It does not read as zeros afterwards.
    """
    if not disk.discard(0, disk.size_bytes):
        return False
    disk.zero(0, disk.size_bytes, counted)
    disk.flush()
    verify_zeros(disk)
    return True


def overwrite(disk: Disk, random_passes: int, is_zeroing: bool, counted: Counted) -> None:
    """Write random data ``random_passes`` times, then zeros.

    Raises:
        DeviceError: The disk failed.
        EraseFailed: It does not read as zeros afterwards.
    """
    for _ in range(random_passes):
        block = b""
        for offset in range(0, disk.size_bytes, MIB):
            if offset % _RANDOM_REUSED_BYTES == 0:
                block = os.urandom(MIB)
            size = min(MIB, disk.size_bytes - offset)
            disk.write(offset, memoryview(block)[:size])
            counted(size)
        disk.flush()
    if is_zeroing or not random_passes:
        disk.zero(0, disk.size_bytes, counted)
        disk.flush()
        verify_zeros(disk)


def verify_zeros(disk: Disk) -> None:
    """Read samples all over the disk, its ends among them.

    Raises:
        EraseFailed: One of them is not zeros.
    """
    last = max(disk.size_bytes - _SAMPLE_BYTES, 0)
    for sample in range(_SAMPLES):
        offset = last * sample // (_SAMPLES - 1) // _SAMPLE_BYTES * _SAMPLE_BYTES
        if disk.read(offset, _SAMPLE_BYTES).strip(b"\0"):
            raise EraseFailed(f"{disk.path} does not read as zeros at byte {offset} after having been zeroed")
