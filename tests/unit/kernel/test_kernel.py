from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.kernel.backoff import Backoff
from bessemer.kernel.clock import from_timestamp, seconds_between, timestamp, to_timestamp
from bessemer.kernel.error import BessemerError, Unsupported
from bessemer.kernel.ident import is_mac, is_uuid, new_token, new_uuid
from bessemer.kernel.secret import Secret

moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2999, 1, 1), timezones=st.just(UTC))


class Frozen:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, 11, 14, 3, 123, tzinfo=UTC)


def test_a_timestamp_is_utc_with_microseconds_and_offset() -> None:
    assert timestamp(Frozen()) == "2026-11-23T11:14:03.000123+00:00"
    local = datetime(2026, 11, 23, 12, 14, 3, 123, tzinfo=timezone(timedelta(hours=1)))
    assert to_timestamp(local) == timestamp(Frozen())


@given(moments, moments)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (to_timestamp(one) < to_timestamp(other)) == (one < other)
    assert from_timestamp(to_timestamp(one)) == one


def test_seconds_between_two_timestamps_are_signed() -> None:
    assert seconds_between(timestamp(Frozen()), timestamp(Frozen(), after_s=2.5)) == 2.5
    assert seconds_between(timestamp(Frozen(), after_s=2.5), timestamp(Frozen())) == -2.5


def test_uuids_sort_by_creation_and_are_of_version_seven() -> None:
    made = [new_uuid() for _ in range(50)]
    assert all(is_uuid(text) and text[14] == "7" and text[19] in "89ab" for text in made)
    assert len(set(made)) == 50
    assert [text[:13] for text in made] == sorted(text[:13] for text in made)


def test_tokens_have_43_url_safe_characters() -> None:
    assert len(new_token()) == 43
    assert new_token() != new_token()


@pytest.mark.parametrize(
    ("text", "expected"), [("52:54:00:AA:00:01", True), ("52-54-00-aa-00-01", False), ("52:54", False)]
)
def test_macs_are_pairs_joined_by_colons(text: str, expected: bool) -> None:
    assert is_mac(text) is expected


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_an_error_says_what_to_do_next_to_what_happened() -> None:
    error: BessemerError = Unsupported("It cannot.", hint="Use another.")
    assert str(error) == "It cannot. Use another."
    assert (error.code, error.fault, error.retry) == ("unsupported", "user", False)


@given(st.integers(min_value=1, max_value=60))
def test_back_off_grows_to_its_bound(failures: int) -> None:
    delay = Backoff(first_s=1, factor=2, most_s=30).delay_s(failures)
    whole = min(30, 2 ** (failures - 1))
    assert whole / 2 <= delay <= whole
