"""The redfish_* keys of driver_info."""

import ssl

import pytest

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import PROPERTIES, Access, AuthType, read_access
from bessemer.kernel.error import InvalidValue
from fakes.task import make_task


def read(**info) -> Access:
    return read_access(
        make_task(driver_info={"redfish_address": "https://bmc", **info}).node, RedfishSettings()
    )


@pytest.mark.parametrize(
    ("address", "origin", "root"),
    [
        ("bmc.example", "https://bmc.example", "/redfish/v1/"),
        ("https://10.0.0.1:8443", "https://10.0.0.1:8443", "/redfish/v1/"),
        ("http://10.0.0.1/", "http://10.0.0.1", "/redfish/v1/"),
        ("https://bmc/node7/redfish/v1", "https://bmc/", "/node7/redfish/v1/"),
        ("fd00::7", "https://[fd00::7]", "/redfish/v1/"),
        ("https://[fd00::7]:444", "https://[fd00::7]:444", "/redfish/v1/"),
    ],
)
def test_an_address_may_be_written_in_the_usual_ways(address, origin, root) -> None:
    access = read(redfish_address=address)
    assert access.origin == origin.rstrip("/")
    assert access.root_path == root


@pytest.mark.parametrize(
    "address",
    [
        "ftp://bmc",
        "https://",
        "https://b m c",
        "https://bmc:port",
        "https://bmc:99999",
        "https://[fd00",
        "https://bmc..example.com",
        f"https://{'b' * 64}.example.com",
    ],
)
def test_an_address_that_is_no_url_of_a_bmc_is_refused(address) -> None:
    with pytest.raises(InvalidValue, match="redfish_address"):
        read(redfish_address=address)


@pytest.mark.parametrize("address", ["https://u:secret@bmc", "https://bmc?x=1", "https://bmc#top"])
def test_an_address_that_holds_more_than_an_address_is_refused_without_being_shown(address) -> None:
    with pytest.raises(InvalidValue, match="more than scheme") as caught:
        read(redfish_address=address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("info", [{}, {"redfish_address": ""}, {"redfish_address": None}])
def test_a_missing_address_is_named(info) -> None:
    with pytest.raises(InvalidValue, match="lacks redfish_address"):
        read_access(make_task(driver_info=info).node, RedfishSettings())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("redfish_address", 5),
        ("redfish_system_id", 1),
        ("redfish_username", ["u"]),
        ("redfish_auth_type", "digest"),
        ("redfish_verify_ca", "/no/such/file"),
        ("redfish_verify_ca", 7),
        ("redfish_tls_minimum_version", "1.0"),
        ("redfish_tls_ciphers", "no such cipher"),
        ("redfish_tls_ciphers", "HIGH\0"),
        ("firmware_update_unresponsive_bmc_wait", "soon"),
        ("firmware_update_unresponsive_bmc_wait", -1),
    ],
)
def test_a_malformed_value_is_refused_under_its_name(key, value) -> None:
    with pytest.raises(InvalidValue, match=key):
        read(**{key: value})


def test_every_key_that_is_read_is_described() -> None:
    access = read(
        redfish_system_id="/redfish/v1/Systems/1",
        redfish_username="u",
        redfish_password="p",
        redfish_verify_ca="False",
        redfish_auth_type="basic",
        redfish_tls_minimum_version="1.3",
        redfish_tls_ciphers="HIGH",
        firmware_update_unresponsive_bmc_wait="30",
    )
    assert access.auth_type is AuthType.BASIC
    assert access.tls.verify is False
    assert access.tls.minimum is ssl.TLSVersion.TLSv1_3
    assert set(PROPERTIES) == {
        "redfish_address", "redfish_system_id", "redfish_username", "redfish_password", "redfish_verify_ca",
        "redfish_auth_type", "redfish_tls_minimum_version", "redfish_tls_ciphers",
        "firmware_update_unresponsive_bmc_wait",
    }  # fmt: skip


def test_a_certificate_is_checked_unless_told_otherwise() -> None:
    assert read().tls.verify is True
    assert read(redfish_verify_ca="yes").tls.verify is True


def test_a_ca_file_that_exists_is_taken(tmp_path) -> None:
    path = tmp_path / "ca.pem"
    path.touch()
    assert read(redfish_verify_ca=str(path)).tls.verify == str(path)


def test_the_configured_auth_type_counts_where_the_node_names_none() -> None:
    node = make_task(driver_info={"redfish_address": "https://bmc"}).node
    assert read_access(node, RedfishSettings(auth_type="session")).auth_type is AuthType.SESSION


def test_a_session_without_tls_is_refused() -> None:
    with pytest.raises(InvalidValue, match="needs an https"):
        read(redfish_address="http://bmc", redfish_auth_type="session")


def test_a_password_without_a_user_is_refused() -> None:
    with pytest.raises(InvalidValue, match="without redfish_username"):
        read(redfish_password="p")


def test_a_system_path_is_made_fit_for_a_url() -> None:
    assert read(redfish_system_id="redfish/v1/Systems/a b").system_path == "/redfish/v1/Systems/a%20b"


def test_a_password_does_not_show() -> None:
    access = read(redfish_username="u", redfish_password="hunter2")
    assert "hunter2" not in f"{access} {access!r}"
