"""Which version a request speaks."""

import pytest

from bessemer.api.v1.error import Refusal
from bessemer.api.v1.version import MAX, Behaviour, answer_headers, negotiate, parse, range_headers

OWN = b"x-openstack-ironic-api-version"
COMMON = b"openstack-api-version"


def test_a_request_without_a_version_speaks_the_first_one() -> None:
    version = negotiate([(b"host", b"x")])
    assert (version.minor, version.is_stated) == (1, False)


@pytest.mark.parametrize(
    ("headers", "minor"),
    [
        ([(OWN, b"1.34")], 34),
        ([(OWN, b" 1.34 ")], 34),
        ([(OWN, b"latest")], MAX),
        ([(COMMON, b"baremetal 1.50")], 50),
        ([(COMMON, b"Baremetal LATEST")], MAX),
        ([(COMMON, b"compute 2.1, baremetal 1.50")], 50),
        ([(COMMON, b"compute 2.1"), (COMMON, b"baremetal 1.51")], 51),
    ],
)
def test_either_header_names_it(headers: list[tuple[bytes, bytes]], minor: int) -> None:
    version = negotiate(headers)
    assert (version.minor, version.is_stated) == (minor, True)


def test_the_common_header_wins_over_our_own() -> None:
    assert negotiate([(OWN, b"1.10"), (COMMON, b"baremetal 1.20")]).minor == 20


def test_entries_of_other_services_leave_our_own_header_in_force() -> None:
    assert negotiate([(OWN, b"1.10"), (COMMON, b"compute 2.90")]).minor == 10


@pytest.mark.parametrize("text", ["1.0", f"1.{MAX + 1}", "2.1", "0.9"])
def test_a_version_that_is_not_served_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(text)
    assert (caught.value.status, caught.value.is_routing) == (406, True)
    assert tuple(caught.value.headers) == range_headers()


@pytest.mark.parametrize("text", ["", "one", "1", "1.", "1.2.3", "-1.5", "1." + "9" * 5000, "1.٣"])
def test_a_version_that_cannot_be_read_is_refused_without_the_range(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(text)
    assert (caught.value.status, tuple(caught.value.headers)) == (406, ())


def test_the_answer_says_the_range_and_the_version_used() -> None:
    assert dict(answer_headers(34)) == {
        b"x-openstack-ironic-api-minimum-version": b"1.1",
        b"x-openstack-ironic-api-maximum-version": b"1.115",
        b"x-openstack-ironic-api-version": b"1.34",
    }


def test_a_behaviour_begins_with_its_version() -> None:
    assert not parse("1.61").has(Behaviour.AGENT_TOKENS)
    assert parse("1.62").has(Behaviour.AGENT_TOKENS)
