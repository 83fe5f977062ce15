"""The structures of a qcow2 file: header, first- and second-level tables, compressed clusters.

Everything that would make the image depend on other files, or that this reader does not know, is refused.

Source: QEMU's specification "The qcow2 image format", versions 2 and 3.
"""

import struct
import zlib
from typing import NamedTuple

from bessemer_agent.error import ImageError, InvalidImage

#: magic, version, backing file offset and length, cluster bits, size, encryption, L1 entries, L1 offset.
_HEADER = struct.Struct(">4sIQIIQIIQ")
_LONGEST_HEADER_BYTES = 112
_FEATURES_OFFSET, _COMPRESSION_OFFSET = 72, 104
#: Incompatible feature bits: what they mean, and whether the active image can be read all the same.
_DIRTY, _COMPRESSION_TYPE = 1 << 0, 1 << 3
_REFUSED = {1 << 1: "is marked corrupt", 1 << 2: "keeps its data in another file", 1 << 4: "has subclusters"}
_OFFSET_MASK = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED = 1 << 62
_ZERO = 1 << 0
_ZSTD_TYPE = 1


class Header(NamedTuple):
    """What is needed to find the guest's data."""

    cluster_bytes: int
    virtual_bytes: int
    l1_offset: int
    l1_entries: int
    is_zstd: bool

    @property
    def l2_entries(self) -> int:
        """Clusters one second-level table describes."""
        return self.cluster_bytes // 8


class Extent(NamedTuple):
    """Where a guest cluster's data lies in the file; compressed ones end before ``length`` does."""

    host: int
    length: int
    guest: int
    is_compressed: bool


def parse_header(head: bytes) -> Header:
    """Understand the beginning of a qcow2 file.

    Raises:
        InvalidImage: It has a backing file, an external data file, encryption, or is of an unknown kind.
    """
    if len(head) < _LONGEST_HEADER_BYTES:
        raise InvalidImage("its qcow2 file ends within the header")
    fields = _HEADER.unpack_from(head)
    _, version, backing_offset, _, cluster_bits, size, encryption, l1_entries, l1_offset = fields
    if version not in (2, 3):
        raise InvalidImage(f"it is qcow2 version {version}; 2 and 3 are known")
    if backing_offset:
        raise InvalidImage("it is a qcow2 overlay that needs a backing file")
    if encryption:
        raise InvalidImage("it is an encrypted qcow2 image")
    if not 9 <= cluster_bits <= 21:
        raise InvalidImage(f"its qcow2 clusters of 2^{cluster_bits} bytes are not allowed")
    features = struct.unpack_from(">Q", head, _FEATURES_OFFSET)[0] if version == 3 else 0
    for bit, meaning in _REFUSED.items():
        if features & bit:
            raise InvalidImage(f"it is a qcow2 image that {meaning}")
    if features & ~(_DIRTY | _COMPRESSION_TYPE):
        raise InvalidImage(f"its qcow2 features {features:#x} are not known")
    is_zstd = bool(features & _COMPRESSION_TYPE) and head[_COMPRESSION_OFFSET] == _ZSTD_TYPE
    header = Header(1 << cluster_bits, size, l1_offset, l1_entries, is_zstd)
    needed = -(-size // (header.cluster_bytes * header.l2_entries))
    if l1_entries < needed or l1_offset % header.cluster_bytes or not l1_offset:
        raise InvalidImage("its qcow2 header contradicts itself")
    return header._replace(l1_entries=needed)


def parse_l1(table: bytes) -> list[int]:
    """File offsets of the second-level tables; 0 where a whole table's range is zeros."""
    return [entry & _OFFSET_MASK for (entry,) in struct.iter_unpack(">Q", table)]


def parse_l2(header: Header, index: int, table: bytes) -> list[Extent]:
    """The data a second-level table points to, in guest order; zeros are left out.

    Args:
        header: The file's header.
        index: The table's place in the first-level table.
        table: One cluster.

    Raises:
        ImageError: An entry points nowhere.
    """
    size = header.cluster_bytes
    guest = index * header.l2_entries * size
    bits = 62 - (size.bit_length() - 1 - 8)  # where a compressed entry's offset ends and its length begins
    extents = []
    for (entry,) in struct.iter_unpack(">Q", table):
        if entry & _COMPRESSED:
            host = entry & ((1 << bits) - 1)
            sectors = ((entry & (_COMPRESSED - 1)) >> bits) + 1
            extents.append(Extent(host, sectors * 512 - host % 512, guest, True))
        elif entry & _OFFSET_MASK and not entry & _ZERO:
            host = entry & _OFFSET_MASK
            if host % size:
                raise ImageError("its qcow2 tables are damaged: a cluster is not aligned")
            extents.append(Extent(host, size, guest, False))
        guest += size
    return [extent for extent in extents if extent.guest < header.virtual_bytes]


def unpack_cluster(header: Header, data: bytes) -> bytes:
    """Decompress one cluster; ``data`` may go on behind its end.

    Raises:
        ImageError: It is damaged.
    """
    if header.is_zstd:
        from bessemer_agent.image.zstd_library import decompress_frame

        plain = decompress_frame(data, header.cluster_bytes)
    else:
        try:
            plain = zlib.decompressobj(wbits=-15).decompress(data, header.cluster_bytes)
        except zlib.error as error:
            raise ImageError(f"one of its compressed clusters is damaged: {error}") from error
    if len(plain) != header.cluster_bytes:
        raise ImageError("one of its compressed clusters is damaged: it is too short")
    return plain
