from typing import Any

import pytest

from bessemer.kernel.secret import MASK, is_secret, masked


@pytest.mark.parametrize("name", ["redfish_password", "API_KEY", "agent_secret_token", "snmp_community"])
def test_some_names_say_that_what_they_name_is_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["redfish_username", "key", "passive", ""])
def test_other_names_do_not(name: str) -> None:
    assert not is_secret(name)


def test_what_is_secret_is_masked_at_any_depth() -> None:
    document: dict[str, Any] = {"a": [{"password": "x", "b": 1}], "token": {"c": 1}, "boot_key": "y"}
    assert masked(document, {"boot_key"}) == {
        "a": [{"password": MASK, "b": 1}],
        "token": MASK,
        "boot_key": MASK,
    }
    assert document["a"] == [{"password": "x", "b": 1}]


@pytest.mark.parametrize("value", [None, True, False, ""])
def test_what_tells_nothing_is_shown(value: object) -> None:
    assert masked({"password": value}) == {"password": value}
