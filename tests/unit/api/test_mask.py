"""Secrets in free-form objects never show."""

import msgspec
import pytest

from bessemer.api.v1.mask import Masker, is_secret, mask
from bessemer.kernel.secret import MASK


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
    assert mask(held) == {"a": [{"password": MASK, "b": {"c_token": MASK}}], "plain": 1}


def test_whether_there_is_a_secret_may_be_seen() -> None:
    held = {"password": "", "token": None, "agent_token_required": True}
    assert mask(held) == held


def test_further_keys_are_masked_where_the_table_names_them() -> None:
    assert Masker(frozenset({"configdrive"}))('{"configdrive":"x","a":1}') == {"configdrive": MASK, "a": 1}


def test_a_text_without_anything_to_mask_is_passed_on_unparsed() -> None:
    text = '{"redfish_address":  "https://bmc"}'
    found = Masker(frozenset())(text)
    assert isinstance(found, msgspec.Raw)
    assert bytes(found) == text.encode()


def test_a_key_written_with_escapes_does_not_slip_through() -> None:
    assert Masker(frozenset())('{"p\\u0061ssword":"x"}') == {"password": MASK}
