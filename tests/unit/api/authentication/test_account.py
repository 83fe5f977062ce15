"""The service's own account at Keystone: which options make a login."""

from typing import Any

import pytest

from bessemer.api.authentication.keystone.account import api_url, login_request
from bessemer.config.load import BadSettings
from bessemer.config.settings import KeystoneAuthtokenSettings
from bessemer.kernel.secret import Secret

FULL = {"auth_url": "http://k", "username": "u", "password": Secret("p"), "project_name": "service"}
CREDENTIAL = {
    "auth_url": "http://k",
    "auth_type": "v3applicationcredential",
    "application_credential_secret": Secret("s"),
}


def request(**options: Any) -> Any:
    return login_request(KeystoneAuthtokenSettings(**options))["auth"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://k:5000", "http://k:5000/v3"),
        ("https://k/identity/", "https://k/identity/v3"),
        ("https://k/identity/v3/", "https://k/identity/v3"),
    ],
)
def test_the_address_is_taken_with_and_without_its_version(given: str, meant: str) -> None:
    assert api_url(KeystoneAuthtokenSettings(auth_url=given)) == meant


def test_a_user_and_a_project_by_name_are_in_the_default_domain() -> None:
    user = {"name": "u", "domain": {"id": "default"}, "password": "p"}
    assert request(**FULL)["identity"] == {"methods": ["password"], "password": {"user": user}}
    assert request(**FULL)["scope"] == {"project": {"name": "service", "domain": {"id": "default"}}}


def test_ids_and_domains_by_name_are_taken() -> None:
    auth = request(**FULL, user_domain_name="users", project_domain_name="projects")
    assert auth["identity"]["password"]["user"]["domain"] == {"name": "users"}
    assert auth["scope"]["project"]["domain"] == {"name": "projects"}
    auth = request(**FULL, user_id="1", project_id="2")
    assert auth["identity"]["password"]["user"] == {"id": "1", "password": "p"}
    assert auth["scope"] == {"project": {"id": "2"}}


def test_a_token_for_the_system_is_asked_for() -> None:
    assert request(**FULL, system_scope="all")["scope"] == {"system": {"all": True}}


def test_an_application_credential_brings_its_own_scope() -> None:
    auth = request(**CREDENTIAL, application_credential_id="1")
    assert auth == {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": "1", "secret": "s"},
        }
    }
    auth = request(**CREDENTIAL, application_credential_name="n", username="u")
    assert auth["identity"]["application_credential"] == {
        "name": "n", "user": {"name": "u", "domain": {"id": "default"}}, "secret": "s"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({**FULL, "password": None}, "password"),
        ({**FULL, "username": None}, "username"),
        ({**FULL, "project_name": None}, "project_name"),
        ({**FULL, "auth_type": "v3oidc"}, "auth_type"),
        ({**CREDENTIAL}, "application_credential_id"),
        ({**CREDENTIAL, "application_credential_name": "n"}, "application_credential_id"),
        ({**CREDENTIAL, "application_credential_secret": None}, "application_credential_secret"),
    ],
)
def test_a_missing_option_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(BadSettings, match=rf"\[keystone_authtoken\]{named}"):
        login_request(KeystoneAuthtokenSettings(**options))


@pytest.mark.parametrize("given", [None, "", "keystone:5000", "ftp://k"])
def test_an_address_that_is_none_is_refused(given: str | None) -> None:
    with pytest.raises(BadSettings, match="auth_url"):
        api_url(KeystoneAuthtokenSettings(auth_url=given))
