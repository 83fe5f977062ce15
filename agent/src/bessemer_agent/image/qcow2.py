"""Writing a qcow2 image while it is being downloaded.

A qcow2 file is a disk cut into clusters in any order, and tables that say which is which. The files tools
write have each table before the data it describes, so one pass is enough: the last 16 MiB of the stream are
kept as a window, tables in it are read as they pass, and every cluster leaving the window goes straight to
its place on the disk. No temporary file, no second copy, no image in memory, and the untrusted file is only
ever parsed by this (memory-safe) code.

A file whose tables come late (resized, snapshotted) still works: clusters that leave the window unexplained
are *parked*, the first 32 MiB in memory and the rest on the disk behind the image's end, and placed when
the tables are known. Only a disk without that much room behind the image is too small.
"""

from collections import deque
from collections.abc import Iterable
from itertools import chain

from bessemer_agent.disk import MIB
from bessemer_agent.error import ImageError
from bessemer_agent.image.pipeline import CHUNK_BYTES, rechunk
from bessemer_agent.image.qcow2_layout import Extent, Header, parse_header, parse_l1, parse_l2, unpack_cluster
from bessemer_agent.image.target import ImageTarget

_WINDOW_BYTES = 16 * MIB
_PARKED_BYTES = 32 * MIB


def write_qcow2(chunks: Iterable[bytes], target: ImageTarget) -> int:
    """Write the disk inside a qcow2 stream; returns its (virtual) size in bytes.

    Raises:
        InvalidImage: The file depends on other files, or is of an unknown kind.
        ImageTooLarge: The disk is smaller than the virtual size.
        ImageError: The file is damaged, ends early, or cannot be placed for want of room.
    """
    incoming = iter(chunks)
    first = next(incoming, b"")
    writer = _Writer(parse_header(first), target)
    for chunk in rechunk(chain([first], incoming), max(CHUNK_BYTES, writer.header.cluster_bytes)):
        writer.feed(chunk)
    writer.finish()
    return writer.header.virtual_bytes


class _Writer:
    def __init__(self, header: Header, target: ImageTarget) -> None:
        target.check_size(header.virtual_bytes)
        self.header = header
        self._target = target
        self._window: deque[tuple[int, bytes]] = deque()
        self._fed = self._retired = 0
        self._l1 = bytearray()
        self._l2_index: dict[int, int] = {}  # file offset of a table not seen yet -> place in L1
        self._tables: set[int] = {0}  # clusters that are no data: header, tables
        self._plain: dict[int, Extent] = {}
        self._packed: dict[int, list[Extent]] = {}  # by the cluster they begin in
        self._late: list[Extent] = []
        self._covered: dict[int, bytearray] = {}  # place in L1 -> one byte per guest cluster written
        self._parking = _Parking(header, target)
        self._spill = 0  # end of the compressed data that began in a retired cluster

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file: a multiple of the cluster size, but for the last."""
        self._window.append((self._fed, chunk))
        start, self._fed = self._fed, self._fed + len(chunk)
        self._read_tables(start, chunk)
        while self._fed - self._retired > _WINDOW_BYTES:
            self._retire()

    def finish(self) -> None:
        """Place what is left, and zero what no table describes."""
        while self._window:
            self._retire()
        size = self.header.cluster_bytes
        if len(self._l1) < self.header.l1_entries * 8:
            raise ImageError("its qcow2 file ends early")
        for offset, index in sorted(self._l2_index.items()):
            if offset >= self._fed:
                raise ImageError("its qcow2 file ends early")
            self._learn(parse_l2(self.header, index, self._parking.read(offset, size)))
        lost = [*self._plain.values(), *(extent for group in self._packed.values() for extent in group)]
        if lost:
            raise ImageError("its qcow2 file ends early")
        for extent in sorted(self._late, key=lambda late: late.guest):
            self._place(extent, self._parking.read(extent.host, extent.length))
        self._parking.clean()
        self._zero_uncovered()

    def _read_tables(self, start: int, chunk: bytes) -> None:
        l1_end = self.header.l1_offset + self.header.l1_entries * 8
        begin, end = max(start, self.header.l1_offset), min(start + len(chunk), l1_end)
        if begin < end:
            self._l1 += chunk[begin - start : end - start]
            if len(self._l1) == self.header.l1_entries * 8:
                self._l2_index = {offset: at for at, offset in enumerate(parse_l1(bytes(self._l1))) if offset}
                for earlier, passed in list(self._window):
                    self._read_l2(earlier, passed)
                return
        self._read_l2(start, chunk)

    def _read_l2(self, start: int, chunk: bytes) -> None:
        size = self.header.cluster_bytes
        if not self._l2_index:
            return
        for offset in range(start, start + len(chunk), size):
            index = self._l2_index.pop(offset, None)
            if index is not None:
                self._tables.add(offset)
                table = chunk[offset - start : offset - start + size]
                self._learn(parse_l2(self.header, index, table.ljust(size, b"\0")))

    def _learn(self, extents: list[Extent]) -> None:
        size = self.header.cluster_bytes
        for extent in extents:
            if extent.host < self._retired:
                self._late.append(extent)
            elif extent.is_compressed:
                self._packed.setdefault(extent.host // size, []).append(extent)
            elif extent.host in self._plain:
                raise ImageError("its qcow2 tables are damaged: a cluster is used twice")
            else:
                self._plain[extent.host] = extent

    def _retire(self) -> None:
        """Place the oldest chunk's clusters, and park those nothing is known of."""
        start, chunk = self._window.popleft()
        size = self.header.cluster_bytes
        following = self._window[0][1][: 2 * size] if self._window else b""
        self._retired = start + len(chunk)
        run_guest = run_from = run_to = 0
        for position in range(0, len(chunk), size):
            extent = self._plain.pop(start + position, None)
            if extent is None:
                self._retire_other(start, position, chunk, following)
                continue
            if run_from == run_to or position != run_to or extent.guest != run_guest + run_to - run_from:
                self._place_run(run_guest, chunk[run_from:run_to])
                run_guest, run_from = extent.guest, position
            run_to = position + size
            self._mark(extent.guest)
        self._place_run(run_guest, chunk[run_from:run_to].ljust(run_to - run_from, b"\0"))

    def _retire_other(self, start: int, position: int, chunk: bytes, following: bytes) -> None:
        size = self.header.cluster_bytes
        host = start + position
        if host in self._tables or self.header.l1_offset <= host < self.header.l1_offset + len(self._l1):
            return
        explained = max(host, self._spill)
        for extent in sorted(self._packed.pop(host // size, [])):
            begin = extent.host - start
            data = chunk[begin : begin + extent.length]
            self._place(extent, data + following[: extent.length - len(data)])
            if extent.host <= explained:
                explained = max(explained, extent.host + extent.length)
        self._spill = explained
        if explained < host + size:
            self._parking.park(host, chunk[position : position + size])

    def _place(self, extent: Extent, data: bytes) -> None:
        plain = unpack_cluster(self.header, data) if extent.is_compressed else data
        self._place_run(extent.guest, plain)
        self._mark(extent.guest)

    def _place_run(self, guest: int, data: bytes) -> None:
        if data:
            self._target.write(guest, data[: self.header.virtual_bytes - guest])

    def _mark(self, guest: int) -> None:
        entries = self.header.l2_entries
        index, place = divmod(guest // self.header.cluster_bytes, entries)
        if index not in self._covered:
            self._covered[index] = bytearray(entries)
        self._covered[index][place] = 1

    def _zero_uncovered(self) -> None:
        size, entries, end = self.header.cluster_bytes, self.header.l2_entries, self.header.virtual_bytes
        for index in range(self.header.l1_entries):
            covered = self._covered.get(index, bytearray(entries))
            place = covered.find(0)
            while place >= 0:
                until = covered.find(1, place)
                until = entries if until < 0 else until
                start = (index * entries + place) * size
                stop = min((index * entries + until) * size, end)
                if start < stop:
                    self._target.zero(start, stop - start)
                place = covered.find(0, until)


class _Parking:
    """Clusters set aside until the tables that explain them arrive."""

    def __init__(self, header: Header, target: ImageTarget) -> None:
        self._size = header.cluster_bytes
        self._target = target
        self._free = self._start = -(-header.virtual_bytes // MIB) * MIB
        self._in_memory: dict[int, bytes] = {}
        self._on_disk: dict[int, int] = {}  # file offset -> disk offset

    def park(self, host: int, data: bytes) -> None:
        """Set aside the cluster at ``host``; zeros need not be remembered."""
        if data == bytes(len(data)):
            return
        if (len(self._in_memory) + 1) * self._size <= _PARKED_BYTES:
            self._in_memory[host] = data
            return
        if self._free + self._size > self._target.size_bytes:
            raise ImageError(
                "its qcow2 tables come after the data and the disk has no room to set that aside;"
                " rewrite the image with `qemu-img convert -O qcow2`"
            )
        self._target.park(self._free, data)
        self._on_disk[host] = self._free
        self._free += self._size

    def read(self, host: int, length: int) -> bytes:
        """``length`` bytes of the file at ``host``; zeros where nothing was set aside."""
        parts = []
        end = host + length
        while host < end:
            cluster = host // self._size * self._size
            size = min(cluster + self._size, end) - host
            data = self._in_memory.get(cluster, b"")
            if cluster in self._on_disk:
                data = self._target.read_back(self._on_disk[cluster], self._size)
            parts.append(data[host - cluster : host - cluster + size].ljust(size, b"\0"))
            host += size
        return b"".join(parts)

    def clean(self) -> None:
        """Zero what was set aside on the disk."""
        if self._free > self._start:
            self._target.clear(self._start, self._free - self._start)
            self._free = self._start
        self._on_disk.clear()
        self._in_memory.clear()
