"""TLS rules for outgoing connections."""

import asyncio
import ssl
from pathlib import Path

import pytest

from bessemer.kernel.error import InvalidValue
from bessemer.transfer.tls import TlsRules, client_context, read_verify
from fakes.certificate import make_certificate


@pytest.mark.parametrize(
    ("given", "meant"),
    [(True, True), (False, False), ("Yes", True), ("on", True), ("f", False), ("0", False)],
)
def test_a_verify_setting_takes_truth_values(given: object, meant: bool) -> None:
    assert read_verify(given, "x") is meant


def test_a_verify_setting_takes_a_path_that_exists(tmp_path: Path) -> None:
    assert read_verify(str(tmp_path), "x") == str(tmp_path)


@pytest.mark.parametrize(
    "given", ["", "/no/such/file.pem", "a\0b", f"-----BEGIN CERTIFICATE-----\n{'A' * 1500}", None, 3, []]
)
def test_anything_else_is_refused_by_the_name_of_the_setting(given: object) -> None:
    with pytest.raises(InvalidValue, match="redfish_verify_ca cannot be"):
        read_verify(given, "redfish_verify_ca")


def test_servers_are_verified_and_old_tls_is_refused_by_default() -> None:
    context = client_context(TlsRules(), "x")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_rule_may_ask_for_more_or_less() -> None:
    context = client_context(TlsRules(verify=False, minimum=ssl.TLSVersion.TLSv1_3), "x")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_a_ca_file_is_trusted_instead_of_the_systems(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, is_ca=True)
    context = client_context(TlsRules(verify=str(made.certificate)), "x")
    assert len(context.get_ca_certs()) == 1


def test_a_file_without_certificates_is_refused_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    with pytest.raises(InvalidValue, match=r"redfish_verify_ca: no CA certificates in .*empty\.pem"):
        client_context(TlsRules(verify=str(empty)), "redfish_verify_ca")


async def test_a_server_is_verified_by_a_ca_file_or_a_directory_of_them(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, is_ca=True)
    directory = tmp_path / "trusted"
    directory.mkdir()
    (directory / "ca.pem").write_text(made.pem)
    done = await asyncio.create_subprocess_exec("openssl", "rehash", str(directory))
    assert await done.wait() == 0
    empty = tmp_path / "empty"
    empty.mkdir()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def reach(port: int, verify: bool | str) -> None:
        context = client_context(TlsRules(verify=verify), "x")
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=made.context())
    async with server:
        port = server.sockets[0].getsockname()[1]
        for trusted in (str(made.certificate), str(directory), False):
            await reach(port, trusted)
        for strange in (str(empty), True):
            with pytest.raises(ssl.SSLCertVerificationError):
                await reach(port, strange)
