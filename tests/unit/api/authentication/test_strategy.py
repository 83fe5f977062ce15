"""Which strategy the settings choose, and what is told or refused at the start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from bessemer.api.authentication.http_basic.validator import BasicAuthentication
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.noauth import NoAuthentication
from bessemer.api.authentication.strategy import open_authentication
from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.secret import Secret


def settings(strategy: str, *, host: str = "127.0.0.1", **keystone: Any) -> Settings:
    plain = Settings()
    return replace(
        plain,
        default=replace(plain.default, auth_strategy=strategy),
        api=replace(plain.api, host_ip=host),
        keystone_authtoken=replace(plain.keystone_authtoken, **keystone),
    )


@pytest.mark.parametrize(
    ("host", "warnings"), [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("::", 1), ("192.0.2.1", 1)]
)
def test_without_authentication_listening_beyond_this_machine_is_told_of(host: str, warnings: int) -> None:
    with structlog.testing.capture_logs() as logs:
        assert isinstance(open_authentication(settings("noauth", host=host)), NoAuthentication)
    assert [entry["log_level"] for entry in logs] == ["warning"] * warnings


async def test_accounts_in_a_file_are_read_at_the_start(tmp_path: Path) -> None:
    chosen = settings("http_basic")
    path = tmp_path / "htpasswd"
    chosen = replace(chosen, default=replace(chosen.default, http_basic_auth_user_file=str(path)))
    with pytest.raises(BadSettings, match="cannot be read"):
        open_authentication(chosen)
    path.write_text("")
    for host, warnings in (("127.0.0.1", 0), ("192.0.2.1", 1)):
        with structlog.testing.capture_logs() as logs:
            opened = open_authentication(replace(chosen, api=replace(chosen.api, host_ip=host)))
        assert ["in the clear" in entry["event"] for entry in logs] == [True] * warnings
        assert isinstance(opened, BasicAuthentication)
        await opened.close()


async def test_keystone_needs_an_account_of_ours_and_a_usable_ca(tmp_path: Path) -> None:
    account = {"auth_url": "http://k", "username": "u", "password": Secret("p"), "project_name": "service"}
    with pytest.raises(BadSettings, match="auth_url"):
        open_authentication(settings("keystone"))
    with pytest.raises(InvalidValue, match=r"\[keystone_authtoken\]cafile"):
        open_authentication(settings("keystone", **account, cafile=str(tmp_path / "nothing")))
    opened = open_authentication(settings("keystone", **account))
    assert isinstance(opened, KeystoneAuthentication)
    await opened.close()


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(BadSettings, match="noauth, http_basic, keystone"):
        open_authentication(settings("kerberos"))
