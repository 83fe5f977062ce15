"""Query strings, read by the tables."""

import pytest

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.query import read
from bessemer.api.v1.table.field import Kind, Param
from bessemer.kernel.error import InvalidValue

PARAMS = (
    Param("fields", Kind.LIST, 8),
    Param("detail", Kind.BOOLEAN, 43, gate=400),
    Param("limit", Kind.INTEGER),
    Param("owner", Kind.STRING),
)


def test_parameters_come_typed() -> None:
    found = read(PARAMS, b"fields=uuid,name&fields=name,%20owner&detail=YES&limit=5&owner=a%26b", 115)
    assert found == {"fields": ["uuid", "name", "owner"], "detail": True, "limit": 5, "owner": "a&b"}


def test_an_empty_value_is_a_value() -> None:
    assert read(PARAMS, b"owner=", 115) == {"owner": ""}


@pytest.mark.parametrize(
    "query",
    [b"zork=1", b"limit=1&limit=2", b"limit=ten", b"detail=2", b"owner=%00", b"owner=%ff", b"owner=\xff"],
)
def test_what_does_not_fit_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidValue):
        read(PARAMS, query, 115)


def test_a_parameter_that_is_too_new_has_the_status_of_its_row() -> None:
    for query, minor, status in ((b"fields=a", 7, 406), (b"detail=true", 42, 400)):
        with pytest.raises(Refusal) as caught:
            read(PARAMS, query, minor)
        assert caught.value.status == status


def test_hundreds_of_parameters_are_refused() -> None:
    with pytest.raises(InvalidValue):
        read(PARAMS, b"&".join([b"owner=a"] * 500), 115)
