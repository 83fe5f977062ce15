"""An open disk: reading, writing, zeroing and discarding ranges of it.

A regular file may stand in for the block device; what only a block device can do (discard) then reports
that it cannot, and the rest behaves the same. Partition numbers, not nodes, are used wherever possible:
writing through the whole disk at a partition's offset needs no device node and so cannot race with udev.

Source: linux/fs.h for the ioctl numbers.
"""

import contextlib
import errno
import fcntl
import os
import stat
import struct
import time
from collections.abc import Callable
from types import TracebackType

from bessemer_agent.error import DeviceError

MIB = 1024**2

_BLKRRPART = 0x125F
_BLKSSZGET = 0x1268
_BLKDISCARD = 0x1277
_BLKZEROOUT = 0x127F
_BLKGETSIZE64 = 0x80081272
#: One request's length. The ioctls cannot be interrupted, so long ranges are cut to be able to tell progress.
_SLICE_BYTES = 256 * MIB
_ZEROS = bytes(MIB)
#: How long partitions may stay busy (udev probes them shortly after each change) before a re-read is given
#: up.
_REREAD_TIMEOUT_S = 15.0

Counted = Callable[[int], None]


class Disk:
    """A disk opened for reading and writing, exclusively: nothing of it is mounted or part of an array."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self._fd = fd
        self.is_block_device = stat.S_ISBLK(os.fstat(fd).st_mode)
        self.size_bytes: int
        self.sector_bytes: int
        if self.is_block_device:
            (self.size_bytes,) = struct.unpack("Q", fcntl.ioctl(fd, _BLKGETSIZE64, bytes(8)))
            (self.sector_bytes,) = struct.unpack("i", fcntl.ioctl(fd, _BLKSSZGET, bytes(4)))
        else:
            self.size_bytes, self.sector_bytes = os.fstat(fd).st_size, 512

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes at ``offset``, fewer at the disk's end."""
        try:
            return os.pread(self._fd, length, offset)
        except OSError as error:
            raise DeviceError(f"{self.path}: reading at byte {offset}: {error}") from error

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write all of ``data``.

        Raises:
            DeviceError: The disk failed, or ends before the data does.
        """
        if offset < 0 or offset + len(data) > self.size_bytes:
            raise DeviceError(f"{self.path} ends before byte {offset + len(data)}")
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._fd, view, offset)
                view, offset = view[written:], offset + written
        except OSError as error:
            raise DeviceError(f"{self.path}: writing at byte {offset}: {error}") from error

    def zero(self, offset: int, length: int, counted: Counted | None = None) -> None:
        """Make a range read as zeros; the disk does it itself where it can, else zeros are written.

        Args:
            offset: First byte, a multiple of the sector size.
            length: Bytes, likewise; the range is cut at the disk's end.
            counted: Told the bytes done after every slice.
        """
        end = min(offset + length, self.size_bytes)
        while offset < end:
            size = min(_SLICE_BYTES if self.is_block_device else MIB, end - offset)
            if self.is_block_device:
                self._request_range(_BLKZEROOUT, offset, size)
            else:
                self.write(offset, memoryview(_ZEROS)[:size])
            offset += size
            if counted:
                counted(size)

    def discard(self, offset: int, length: int) -> bool:
        """Tell the disk that a range is not needed; False when it takes no such hints.

        What the range reads as afterwards is the disk's choice: follow with :meth:`zero` where it matters.
        """
        if not self.is_block_device:
            return False
        end = min(offset + length, self.size_bytes)
        try:
            while offset < end:
                size = min(_SLICE_BYTES, end - offset)
                fcntl.ioctl(self._fd, _BLKDISCARD, struct.pack("QQ", offset, size))
                offset += size
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EREMOTEIO, errno.EIO):
                return False
            raise DeviceError(f"{self.path}: discarding at byte {offset}: {error}") from error
        return True

    def start_flush(self, offset: int, length: int) -> None:
        """Let the disk begin with what was written to a range, without waiting for it; a hint only."""
        if length == 0:  # it would mean everything
            return
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._fd, offset, length, os.POSIX_FADV_DONTNEED)

    def flush(self) -> None:
        """Wait until everything written is on the medium."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise DeviceError(f"{self.path}: flushing: {error}") from error

    def reread_partitions(self, timeout_s: float = _REREAD_TIMEOUT_S) -> None:
        """Have the kernel read the partition table again.

        Raises:
            DeviceError: A partition stayed in use for ``timeout_s``.
        """
        if not self.is_block_device:
            return
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.ioctl(self._fd, _BLKRRPART)
            except OSError as error:
                if error.errno == errno.EINVAL:
                    return  # a disk that cannot have partitions
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise DeviceError(f"{self.path}: reading the partition table again: {error}") from error
                time.sleep(0.1)
            else:
                return

    def close(self) -> None:
        """Close the disk. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Disk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request_range(self, request: int, offset: int, size: int) -> None:
        try:
            fcntl.ioctl(self._fd, request, struct.pack("QQ", offset, size))
        except OSError as error:
            raise DeviceError(f"{self.path}: zeroing at byte {offset}: {error}") from error


def open_disk(path: str, timeout_s: float = _REREAD_TIMEOUT_S) -> Disk:
    """Open a disk for exclusive use, waiting a while for whoever probes it.

    Raises:
        DeviceError: It does not exist, is read-only, or stayed in use (mounted, in an array).
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            is_block_device = stat.S_ISBLK(os.stat(path).st_mode)  # noqa: PTH116 - paths are plain strings here
            return Disk(path, os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if is_block_device else 0)))
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise DeviceError(f"{path} cannot be opened: {error.strerror}") from error
            time.sleep(0.1)
