"""What is secret in a document or a text, and what is shown in its place."""

import pytest

from bessemer.kernel.error import InvalidValue
from bessemer.kernel.secret import MASK, masked, secrets_in, without_secrets


@pytest.mark.parametrize(
    "document",
    [
        {"password": "hush"},
        {"deep": [{"my_API_KEY": "hush"}]},
        {"url": "https://user:hush@host/path"},
        {"name": "AdminPassword", "value": "hush"},
        {"path": "/driver_info/ipmi_password", "op": "add", "value": {"x": "hush"}},
        {"tokens": ["hush", {"x": "hush"}]},
        ["nfs://u:hush@host/x"],
        {"note": "sealed:hush"},
    ],
)
def test_whatever_says_that_it_is_secret_is_masked(document: object) -> None:
    assert "hush" not in str(masked(document))
    assert MASK in str(masked(document))


@pytest.mark.parametrize(
    "document",
    [
        {"address": "https://host/a@b", "name": "x", "value": "y"},
        {"mail": "ada@example.org", "time": "12:30 @ noon"},
        {"password": None, "has_token": True, "secret": ""},
        {"url": "https://user@host/path"},
        {"number": 1, "list": [1, 2.5, None]},
    ],
)
def test_whatever_does_not_stays_as_it_is(document: object) -> None:
    assert masked(document) == document


def test_errors_do_not_repeat_a_login_in_an_address() -> None:
    error = InvalidValue("No image at https://user:hush@host/x.", hint="Try nfs://u:hush@h/.")
    assert str(error) == "No image at https://******@host/x. Try nfs://******@h/."
    assert "hush" not in repr(error)


def test_an_error_hides_what_it_is_told_to() -> None:
    error = InvalidValue("The word was open-sesame.", hint="Not open-sesame again, nor abc.")
    error.hide(secrets_in({"password": "open-sesame", "token": "abc"}))
    assert str(error) == "The word was ******. Not ****** again, nor abc."
    assert "sesame" not in repr(error)


def test_short_secrets_are_left_in_texts_where_they_may_be_anything() -> None:
    assert without_secrets("a cat sat", ["a", "cat", "sat "]) == "a cat sat"
