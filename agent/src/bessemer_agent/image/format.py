"""What an image really is, told from its bytes.

A description that says "raw" while the bytes are a qcow2 or VMDK file is refused: written as is, the disk
would not boot; interpreted, it could make the agent read other files through a backing file. Compression is
told from the bytes as well and is not a disk format.

Source: the formats' published headers (qcow2, VMDK, VHD, VHDX, VDI, QED, LUKS, ISO 9660); RFC 1952, RFC 8878.
"""

from collections.abc import Sequence

from bessemer_agent.error import InvalidImage

#: Bytes of the decompressed image that :func:`detect_format` needs to see.
HEAD_BYTES = 34 * 1024

_SIGNATURES = (
    ("qcow2", 0, b"QFI\xfb"),
    ("vmdk", 0, b"KDMV"),
    ("vmdk", 0, b"COWD"),
    ("vmdk", 0, b"# Disk DescriptorFile"),
    ("vhdx", 0, b"vhdxfile"),
    ("vhd", 0, b"conectix"),
    ("qed", 0, b"QED\0"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("vdi", 64, b"\x7f\x10\xda\xbe"),
    ("iso", 32769, b"CD001"),
)
#: Formats :mod:`bessemer_agent.image.write` knows how to write; "iso" is written as it is.
WRITABLE = ("raw", "qcow2", "iso")


def detect_compression(head: bytes) -> str | None:
    """ "gzip", "zstd" or None, from the first four bytes."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    return None


def detect_format(head: bytes) -> str:
    """The disk format of an image that begins with ``head``; "raw" when nothing else is recognised."""
    for name, offset, signature in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return name
    return "raw"


def check_format(found: str, declared: str | None, permitted: Sequence[str], *, is_deep: bool) -> str:
    """The format to write the image as.

    Args:
        found: What :func:`detect_format` says.
        declared: ``disk_format`` of the description; None when it has none.
        permitted: The service's ``permitted_image_formats``.
        is_deep: Whether the service wants formats to be inspected; if not, ``declared`` is believed.

    Raises:
        InvalidImage: The bytes are not what was declared, not permitted, or not writable.
    """
    if not is_deep and declared:
        found = declared
    if declared and found != declared:
        raise InvalidImage(f"it is declared as {declared}, but its bytes are {found}")
    if permitted and found not in permitted:
        raise InvalidImage(f"its format is {found}; the service permits {', '.join(permitted)}")
    if found not in WRITABLE:
        raise InvalidImage(f"its format {found} cannot be written; convert it to raw or qcow2")
    return found
