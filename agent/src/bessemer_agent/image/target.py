"""The disk as an image is written to it: nothing boots from it before the image is known to be right.

The first MiB of the image, where every boot loader and partition table begins, is held back in memory until
:meth:`ImageTarget.commit`; the first and last MiB of the disk are zeroed before and, after a failure,
again. A machine whose power fails in between finds a disk without partition table, never half an operating
system.
"""

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import DeviceError, ImageTooLarge
from bessemer_agent.journal import say

#: The grain in which zeros are looked for.
_BLOCK_BYTES = 64 * 1024
#: Zeros shorter than this are written like data: asking the disk to zero them would take longer.
_ZERO_RUN_BYTES = MIB
_HEAD_BYTES = MIB
#: The disk is set to work each time so much was written: else it would idle until the final flush.
_FLUSH_BYTES = 8 * MIB
_ZEROS = bytes(_BLOCK_BYTES)


class ImageTarget:
    """Writes an image's bytes to a disk at any offset, leaving out long runs of zeros.

    Args:
        disk: Where to.
        is_zeroed: The whole disk reads as zeros already (it was erased so), so zeros need no writing at all.
    """

    def __init__(self, disk: Disk, is_zeroed: bool = False) -> None:
        self._disk = disk
        self._is_zeroed = is_zeroed
        self._head = bytearray(min(_HEAD_BYTES, disk.size_bytes))
        self._run_start = self._run_end = 0  # zeros seen and not yet made
        self._has_begun = False
        self._unflushed_start = self._unflushed_end = 0

    @property
    def size_bytes(self) -> int:
        """The disk's size."""
        return self._disk.size_bytes

    def check_size(self, image_bytes: int) -> None:
        """Refuse an image that is larger than the disk.

        Raises:
            ImageTooLarge: It is.
        """
        if image_bytes > self.size_bytes:
            raise ImageTooLarge(f"it has {image_bytes} bytes, {self._disk.path} only {self.size_bytes}")

    def write(self, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset`` of the image.

        Raises:
            ImageTooLarge: The disk ends before.
            DeviceError: The disk failed.
        """
        end = offset + len(data)
        if end > self.size_bytes:
            raise ImageTooLarge(f"it is longer than the {self.size_bytes} bytes of {self._disk.path}")
        self._begin()
        if offset < len(self._head):
            held = data[: len(self._head) - offset]
            self._head[offset : offset + len(held)] = held
            offset, data = offset + len(held), data[len(held) :]
        view = memoryview(data)
        start = position = 0
        while position < len(data):
            # Blocks lie on multiples of their size on the disk, whatever offset the chunk has.
            step = min(_BLOCK_BYTES - (offset + position) % _BLOCK_BYTES, len(data) - position)
            if _is_zeros(data, position, step):
                self._put(offset + start, view[start:position])
                self.zero(offset + position, step)
                start = position + step
            position += step
        self._put(offset + start, view[start:])

    def zero(self, offset: int, length: int) -> None:
        """Say that a range of the image is zeros."""
        self._begin()
        if offset < len(self._head):
            held = min(length, len(self._head) - offset)
            self._head[offset : offset + held] = bytes(held)
            offset, length = offset + held, length - held
        if length == 0:
            return
        if offset != self._run_end or self._run_start == self._run_end:
            self._flush_run()
            self._run_start = offset
        self._run_end = offset + length

    def read_back(self, offset: int, length: int) -> bytes:
        """What was written there, for readers that park parts of an image on the disk."""
        self._flush_run()
        return self._disk.read(offset, length)

    def park(self, offset: int, data: bytes) -> None:
        """Write past the image, as it is, for :meth:`read_back`."""
        self._begin()
        self._flush_run()
        self._disk.write(offset, data)

    def clear(self, offset: int, length: int) -> None:
        """Zero what :meth:`park` wrote, on a disk that read as zeros too."""
        self._flush_run()
        self._disk.zero(offset, length)

    def commit(self) -> None:
        """Write what was held back, and wait until all of it is on the medium."""
        self._flush_run()
        self._disk.flush()
        self._disk.write(0, self._head)
        self._disk.flush()

    def abort(self) -> None:
        """Leave a disk that nothing boots from, or one that was not touched as it is.

        Does not raise: it runs when something failed already.
        """
        if not self._has_begun:
            return
        try:
            self._wipe_ends()
        except DeviceError as error:
            say("the disk's ends could not be wiped", disk=self._disk.path, why=error)

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._wipe_ends()

    def _wipe_ends(self) -> None:
        size = min(MIB, self.size_bytes)
        self._disk.zero(0, size)
        self._disk.zero(self.size_bytes - size, size)
        self._disk.flush()

    def _put(self, offset: int, view: memoryview) -> None:
        if view:
            self._flush_run()
            self._disk.write(offset, view)
            self._start_flush(offset, offset + len(view))

    def _start_flush(self, start: int, end: int) -> None:
        """Note a range as written; begin to flush when enough has gathered, or the writes go elsewhere."""
        if start != self._unflushed_end or end - self._unflushed_start >= _FLUSH_BYTES:
            self._disk.start_flush(self._unflushed_start, self._unflushed_end - self._unflushed_start)
            self._unflushed_start = start
        self._unflushed_end = end

    def _flush_run(self) -> None:
        offset, length = self._run_start, self._run_end - self._run_start
        self._run_start = self._run_end = 0
        if length == 0 or self._is_zeroed:
            return
        sector = self._disk.sector_bytes
        body = length // sector * sector
        if body >= _ZERO_RUN_BYTES and offset % sector == 0:
            self._disk.zero(offset, body)
            offset, length = offset + body, length - body
        if length:
            self._disk.write(offset, bytes(length))


def _is_zeros(data: bytes, position: int, size: int) -> bool:
    """Whether a block is zeros; its ends usually tell without a look at the rest."""
    if data[position] or data[position + size - 1]:
        return False
    return data[position : position + size] == (_ZEROS if size == _BLOCK_BYTES else _ZEROS[:size])
