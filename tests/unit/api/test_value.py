"""Checks of single values, and of bodies."""

from typing import Any

import pytest

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.table.field import Body, Create, Field, Key, Kind, member
from bessemer.api.v1.value import check, check_body, is_name
from bessemer.kernel.error import InvalidValue

UUID = "6BA7B810-9dad-11d1-80b4-00c04fd430c8"


def checked(kind: Kind, value: object, minor: int = 115, **more: Any) -> Any:
    return check(Field(name="it", kind=kind, **more), value, minor)


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        (Kind.STRING, "x", "x"),
        (Kind.UUID, UUID, UUID.lower()),
        (Kind.MAC, "AA:bb:cc:00:11:22", "aa:bb:cc:00:11:22"),
        (Kind.BOOLEAN, True, True),
        (Kind.BOOLEAN, "Yes", True),
        (Kind.BOOLEAN, "0", False),
        (Kind.INTEGER, 7, 7),
        (Kind.INTEGER, "-7", -7),
        (Kind.OBJECT, {"a": 1}, {"a": 1}),
        (Kind.LIST, [1], [1]),
        (Kind.IDENT, "node.1", "node.1"),
        (Kind.IDENT, UUID, UUID.lower()),
        (Kind.ANY, None, None),
    ],
)
def test_a_good_value_is_taken(kind: Kind, given: object, taken: object) -> None:
    assert checked(kind, given) == taken


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Kind.STRING, 5),
        (Kind.STRING, "nul\x00"),
        (Kind.UUID, "6ba7b810"),
        (Kind.UUID, UUID.replace("-", "")),
        (Kind.MAC, "aa-bb-cc-00-11-22"),
        (Kind.MAC, "aa:bb:cc:00:11"),
        (Kind.BOOLEAN, 1),
        (Kind.BOOLEAN, "maybe"),
        (Kind.INTEGER, True),
        (Kind.INTEGER, 1.5),
        (Kind.INTEGER, 2**70),
        (Kind.INTEGER, "1e3"),
        (Kind.OBJECT, []),
        (Kind.LIST, {}),
        (Kind.NAME, UUID),
        (Kind.NAME, "a b"),
        (Kind.NAME, "a/b"),
        (Kind.NAME, "n" * 256),
        (Kind.IDENT, ""),
    ],
)
def test_a_bad_value_is_refused_by_name(kind: Kind, given: object) -> None:
    with pytest.raises(InvalidValue, match="'it'"):
        checked(kind, given)


def test_lengths_and_ranges_are_bounded() -> None:
    with pytest.raises(InvalidValue, match="1 to 3 characters"):
        checked(Kind.STRING, "", length=(1, 3))
    with pytest.raises(InvalidValue, match="between 1 and 3"):
        checked(Kind.INTEGER, 4, range=(1, 3))


def test_null_is_a_value_only_where_the_table_says_so() -> None:
    assert checked(Kind.STRING, None, is_nullable=True) is None
    assert checked(Kind.OBJECT, None, default={}) == {}
    assert checked(Kind.BOOLEAN, None, default=True) is True
    with pytest.raises(InvalidValue, match="must not be null"):
        checked(Kind.STRING, None, create=Create.REQUIRED)


def test_a_default_object_is_never_shared() -> None:
    field = Field(name="it", kind=Kind.OBJECT, default={})
    check(field, None, 1)["dirt"] = 1
    assert check(field, None, 1) == {}


def test_names_follow_the_rule_of_the_version() -> None:
    assert is_name("rack_1~a", 10)
    assert not is_name("rack_1~a", 9)
    assert is_name("rack-1.example.org", 9)
    assert not is_name("-rack", 9)


def test_keys_of_objects_have_versions_of_their_own() -> None:
    field = Field(name="link", kind=Kind.OBJECT, keys=(Key("new", 64), Key("gone", 90, 104)))
    assert check(field, {"new": 1}, 64) == {"new": 1}
    assert check(field, {"gone": 1}, 104) == {"gone": 1}
    for key, minor in (("new", 63), ("gone", 89), ("gone", 105)):
        with pytest.raises(Refusal, match=key) as caught:
            check(field, {key: 1}, minor)
        assert caught.value.status == 406


BODY = Body((
    member("a", Kind.STRING, is_required=True),
    member("b", Kind.INTEGER, since=20),
    member("c", Kind.INTEGER, since=30, gate=400),
))  # fmt: skip


def test_members_left_out_stay_left_out() -> None:
    assert check_body(BODY, {"a": "x"}, 115) == {"a": "x"}


@pytest.mark.parametrize("given", [None, [], "x", {}, {"a": "x", "z": 1}, {"b": 1}, {"a": 5}])
def test_a_body_that_does_not_fit_is_refused(given: object) -> None:
    with pytest.raises(InvalidValue):
        check_body(BODY, given, 115)


def test_a_member_that_is_too_new_has_the_status_of_its_row() -> None:
    for name, minor, status in (("b", 19, 406), ("c", 29, 400)):
        with pytest.raises(Refusal) as caught:
            check_body(BODY, {"a": "x", name: 1}, minor)
        assert caught.value.status == status


def test_an_optional_body_may_be_missing_and_an_open_one_lets_members_through() -> None:
    assert check_body(Body(is_optional=True), None, 1) == {}
    assert check_body(Body(is_open=True), {"x": [1]}, 1) == {"x": [1]}
