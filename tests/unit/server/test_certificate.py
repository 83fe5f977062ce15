"""TLS of our own API: what is refused at start, and certificates that are renewed while it runs."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import uvicorn

from bessemer.config.load import BadSettings
from bessemer.config.settings import ApiSettings
from bessemer.server.certificate import ServerCertificate, find_certificate, own_url
from fakes.certificate import ServerCertificate as Made
from fakes.certificate import make_certificate
from fakes.wait import until


def settings_for(made: Made, **more: object) -> ApiSettings:
    given = {"enable_ssl_api": True, "cert_file": str(made.certificate), "key_file": str(made.key), **more}
    return replace(ApiSettings(), **given)  # type: ignore[arg-type]


def copy(made: Made, to: Path) -> Made:
    """Put the pair where the server reads it, as a renewal does: each file by a rename."""
    target = Made(to / "api.crt", to / "api.key")
    for source, place in ((made.certificate, target.certificate), (made.key, target.key)):
        (to / "next").write_bytes(source.read_bytes())
        (to / "next").replace(place)
    return target


def served_certificate(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)


async def test_the_api_speaks_tls_and_takes_a_renewed_certificate_without_a_restart(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, name="first"), make_certificate(tmp_path, name="second")
    certificate = find_certificate(settings_for(copy(first, tmp_path)))
    assert certificate is not None

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    config = uvicorn.Config(
        app, port=0, log_level="error", lifespan="off", ssl_context_factory=lambda *_: certificate.context
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            trust = ssl.create_default_context(cadata=first.pem)
            async with session.get(f"https://127.0.0.1:{port}/", ssl=trust) as answer:
                assert await answer.text() == "https"
        assert not certificate.refresh()
        copy(second, tmp_path)
        assert certificate.refresh()
        assert (await asyncio.to_thread(served_certificate, port)).strip() == second.pem.strip()
    finally:
        server.should_exit = True
        await task


def test_a_half_renewed_pair_is_left_alone_until_the_other_half_comes(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, name="first"), make_certificate(tmp_path, name="second")
    target = copy(first, tmp_path)
    certificate = ServerCertificate(target.certificate, target.key)
    target.certificate.write_bytes(second.certificate.read_bytes())
    assert not certificate.refresh()
    target.key.write_bytes(second.key.read_bytes())
    assert certificate.refresh()


def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    context = ServerCertificate(made.certificate, made.key).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert names
    assert all(name.startswith(("ECDHE-", "TLS_")) for name in names)


def test_without_the_switch_there_is_no_tls() -> None:
    assert find_certificate(ApiSettings()) is None
    assert own_url(ApiSettings()) == "http://127.0.0.1:6385"
    assert own_url(replace(ApiSettings(), enable_ssl_api=True, host_ip="::1")) == "https://[::1]:6385"


@pytest.mark.parametrize("missing", ["cert_file", "key_file"])
def test_tls_without_certificate_or_key_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(BadSettings, match="needs cert_file and key_file"):
        find_certificate(settings_for(make_certificate(tmp_path), **{missing: None}))


def test_a_pair_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, name="first"), make_certificate(tmp_path, name="second")
    with pytest.raises(BadSettings, match="cannot be used"):
        ServerCertificate(first.certificate, second.key)
    with pytest.raises(BadSettings, match="cannot be used"):
        ServerCertificate(first.certificate, tmp_path / "nothing")
