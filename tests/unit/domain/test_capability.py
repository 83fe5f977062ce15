import pytest

from bessemer.domain.capability import (
    check_capabilities,
    format_capabilities,
    parse_capabilities,
    parse_instance_capabilities,
)
from bessemer.kernel.error import InvalidValue


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, {}),
        ("", {}),
        ("boot_mode:uefi", {"boot_mode": "uefi"}),
        ("a:1, b : 2 ,c:", {"a": "1", "b": "2", "c": ""}),
        ("path:C:/x", {"path": "C:/x"}),
        ({"a": 1}, {"a": "1"}),
    ],
)
def test_capabilities_are_pairs_separated_by_commas(text: object, found: dict[str, str]) -> None:
    assert parse_capabilities(text) == found


@pytest.mark.parametrize("text", ["boot_mode", "a:1,", ":x", "a:1,,b:2", 5, ["a:1"]])
def test_what_is_no_pair_is_refused(text: object) -> None:
    with pytest.raises(InvalidValue, match=r"properties\.capabilities"):
        parse_capabilities(text)


def test_capabilities_are_written_as_they_are_read() -> None:
    assert format_capabilities({"a": "1", "path": "C:/x"}) == "a:1,path:C:/x"


@pytest.mark.parametrize("capabilities", [{"a,b": "1"}, {"a:b": "1"}, {"a": "1,c:2"}, {"": "1"}])
def test_what_would_read_as_something_else_is_not_written(capabilities: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="written down"):
        format_capabilities(capabilities)


def test_capabilities_that_mean_something_have_known_values() -> None:
    check_capabilities("boot_mode:bios,secure_boot:true,disk_label:gpt,anything:goes")
    for text in ("boot_mode:legacy", "secure_boot:yes", "disk_label:mbr"):
        with pytest.raises(InvalidValue, match=text.partition(":")[0]):
            check_capabilities(text)


def test_an_instance_gives_an_object_or_its_text() -> None:
    assert parse_instance_capabilities({"boot_mode": "uefi"}) == {"boot_mode": "uefi"}
    assert parse_instance_capabilities('{"boot_mode": "uefi"}') == {"boot_mode": "uefi"}
    assert parse_instance_capabilities(None) == {}
    for value in ("boot_mode:uefi", "[1]", 5):
        with pytest.raises(InvalidValue, match=r"instance_info\.capabilities"):
            parse_instance_capabilities(value)
