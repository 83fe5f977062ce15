"""Who the client is to the service, as the environment says."""

import base64
import ssl
from pathlib import Path

import pytest

from bessemer_client.identity import BadIdentity, read_identity
from fakes.certificate import make_certificate


def test_without_anything_set_nothing_is_sent() -> None:
    assert read_identity({}).headers == {}
    assert read_identity({"OS_AUTH_TYPE": "none", "OS_USERNAME": "u"}).headers == {}


def test_a_token_is_sent_as_it_is() -> None:
    given = {"OS_TOKEN": "t", "OS_USERNAME": "u", "OS_AUTH_URL": "http://k"}
    assert read_identity(given).headers == {"X-Auth-Token": "t"}


@pytest.mark.parametrize("kind", [{}, {"OS_AUTH_TYPE": "http_basic"}])
def test_user_and_password_are_sent_as_basic_authentication(kind: dict[str, str]) -> None:
    headers = read_identity({**kind, "OS_USERNAME": "alice", "OS_PASSWORD": "open:sesame"}).headers
    scheme, _, encoded = headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"alice:open:sesame")


@pytest.mark.parametrize(
    "given",
    [{"OS_CLOUD": "c"}, {"OS_AUTH_TYPE": "password"}, {"OS_AUTH_URL": "http://k", "OS_USERNAME": "u"}],
)
def test_where_keystone_is_asked_first_one_is_told_how(given: dict[str, str]) -> None:
    with pytest.raises(BadIdentity, match="openstack token issue"):
        read_identity({**given, "OS_PASSWORD": "p"})


def test_a_user_without_a_password_is_refused() -> None:
    with pytest.raises(BadIdentity, match="OS_PASSWORD is not"):
        read_identity({"OS_USERNAME": "u"})


def test_the_service_is_verified_as_asked(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, is_ca=True)
    assert read_identity({}).tls is True
    assert read_identity({"OS_INSECURE": "true"}).tls is False
    context = read_identity({"OS_CACERT": str(made.certificate)}).tls
    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == 1
    with pytest.raises(BadIdentity, match="OS_CACERT"):
        read_identity({"OS_CACERT": str(tmp_path / "nothing")})


def test_nothing_secret_shows_itself() -> None:
    assert "sesame" not in repr(read_identity({"OS_TOKEN": "opensesame"}))
