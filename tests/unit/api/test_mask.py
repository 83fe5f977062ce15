"""Secrets in free-form objects never show."""

import pytest

from bessemer.api.v1.mask import Masker
from bessemer.kernel.secret import MASK, is_secret


@pytest.mark.parametrize(
    "key",
    ["redfish_password", "IPMI_PASSWORD", "agent_secret_token", "api_key_x", "rescue_password", "auth_token"],
)
def test_names_of_secrets_are_known(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["redfish_address", "redfish_username", "agent_url", "kernel", "bypass"])
def test_other_names_are_left_alone(key: str) -> None:
    assert not is_secret(key)


def test_secrets_are_masked_at_every_level() -> None:
    held = {"a": [{"password": "x", "b": {"c_token": ["y"]}}], "plain": 1}
    assert Masker()(held) == {"a": [{"password": MASK, "b": {"c_token": MASK}}], "plain": 1}


def test_whether_there_is_a_secret_may_be_seen() -> None:
    held = {"password": "", "token": None, "agent_token_required": True}
    assert Masker()(held) == held


def test_further_keys_are_masked_where_the_table_names_them() -> None:
    assert Masker(frozenset({"configdrive"}))('{"configdrive":"x","a":1}') == {"configdrive": MASK, "a": 1}


def test_what_was_given_is_left_alone() -> None:
    held = {"password": "x"}
    Masker()(held)
    assert held == {"password": "x"}


def test_memory_for_keys_is_bounded() -> None:
    masker = Masker()
    for number in range(25_000):
        masker({f"key{number}": 1})
    assert len(masker._names) <= 10_000
    assert masker({"my_password": "x"}) == {"my_password": MASK}


def test_a_key_written_with_escapes_does_not_slip_through() -> None:
    assert Masker()('{"p\\u0061ssword":"x"}') == {"password": MASK}
