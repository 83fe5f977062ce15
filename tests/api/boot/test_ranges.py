import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.api.boot.ranges import NotSatisfiable, is_known, parse_range


@given(
    st.text(max_size=40) | st.from_regex(r"bytes=\d{0,25}-\d{0,25}", fullmatch=True), st.integers(0, 1 << 40)
)
def test_whatever_is_asked_the_part_lies_in_the_whole(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except NotSatisfiable:
        return
    if part is not None:
        offset, length = part
        assert offset >= 0
        assert length > 0
        assert offset + length <= size


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 4)),
        ("bytes=2-", (2, 8)),
        ("bytes=2-99", (2, 8)),
        ("bytes=-3", (7, 3)),
        ("bytes=-99", (0, 10)),
        ("Bytes = 1-2 ", (1, 2)),
        ("bytes=5-2", None),
        ("bytes=1-2,4-5", None),
        ("bytes=", None),
        ("pages=1-2", None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_ranges_are_understood_as_the_rfc_writes_them(header: str, part: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_of_nothing_is_told_apart(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        parse_range(header, 10)


def test_a_validator_is_recognised_among_others() -> None:
    assert is_known('"a", "b"', '"b"')
    assert is_known('W/"b"', '"b"')
    assert is_known("*", '"b"')
    assert not is_known('"a"', '"b"')
    assert not is_known("*", "")
    assert not is_known("", "")
