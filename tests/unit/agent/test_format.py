import pytest

from bessemer_agent.error import InvalidImage
from bessemer_agent.image.format import check_format, detect_compression, detect_format


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"QFI\xfb\0\0\0\3", "qcow2"),
        (b"KDMV\1\0\0\0", "vmdk"),
        (b"# Disk DescriptorFile\nversion=1", "vmdk"),
        (b"vhdxfile", "vhdx"),
        (b"conectix", "vhd"),
        (b"QED\0", "qed"),
        (b"LUKS\xba\xbe\0\2", "luks"),
        (b"<<< VDI >>>".ljust(64) + b"\x7f\x10\xda\xbe", "vdi"),
        (bytes(32769) + b"CD001", "iso"),
        (bytes(510) + b"\x55\xaaEFI PART", "raw"),
        (b"", "raw"),
    ],
)
def test_formats_are_told_from_their_signatures(head: bytes, name: str) -> None:
    assert detect_format(head) == name


def test_compression_is_told_from_magic_bytes() -> None:
    assert detect_compression(b"\x1f\x8b\x08\0") == "gzip"
    assert detect_compression(b"\x28\xb5\x2f\xfd") == "zstd"
    assert detect_compression(b"QFI\xfb") is None


def test_an_image_that_is_not_what_it_is_declared_as_is_refused() -> None:
    with pytest.raises(InvalidImage, match="declared as raw, but its bytes are qcow2"):
        check_format("qcow2", "raw", [], is_deep=True)


def test_a_format_the_service_does_not_permit_is_refused() -> None:
    with pytest.raises(InvalidImage, match="permits raw"):
        check_format("qcow2", None, ["raw"], is_deep=True)


def test_a_format_nobody_can_write_is_refused_even_if_permitted() -> None:
    with pytest.raises(InvalidImage, match="cannot be written"):
        check_format("vmdk", "vmdk", ["vmdk"], is_deep=True)


def test_without_deep_inspection_the_declaration_is_believed() -> None:
    assert check_format("qcow2", "raw", ["raw"], is_deep=False) == "raw"


def test_without_declaration_the_bytes_decide() -> None:
    assert check_format("qcow2", None, [], is_deep=True) == "qcow2"
