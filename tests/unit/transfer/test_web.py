from pathlib import Path

import aiohttp
import pytest

from bessemer.kernel.error import SourceError, Unavailable
from bessemer.transfer.web import Web
from fakes.http_server import ImageServer


async def collect(web: Web, url: str, **how: object) -> bytes:
    return b"".join([piece async for piece in web.read(url, **how)])  # type: ignore[arg-type]


async def test_a_look_tells_size_validator_and_ranges(server: ImageServer, web: Web) -> None:
    facts = await web.look(server.put("image", b"12345"))
    assert (facts.size, facts.etag, facts.is_ranged) == (5, '"v1"', True)


async def test_a_server_without_head_is_asked_for_the_first_byte(server: ImageServer, web: Web) -> None:
    facts = await web.look(server.put("image", b"12345", has_head=False))
    assert (facts.size, facts.is_ranged) == (5, True)
    assert server.resources["image"].methods == ["HEAD", "GET"]


async def test_a_signed_url_that_refuses_head_alone_is_fine(server: ImageServer, web: Web) -> None:
    facts = await web.look(server.put("image", b"12345", statuses={"HEAD": 403}))
    assert facts.size == 5


async def test_a_server_that_tells_no_length_leaves_the_size_open(server: ImageServer, web: Web) -> None:
    facts = await web.look(server.put("image", b"12345", has_ranges=False, has_length=False))
    assert facts.size is None
    assert not facts.is_ranged


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_definite_no_names_the_url_without_its_secrets(
    status: int, server: ImageServer, web: Web
) -> None:
    url = server.put("image", statuses={"HEAD": status, "GET": status})
    with pytest.raises(SourceError) as caught:
        await web.look(url.replace("://", "://user:hunter2@") + "?signature=s3cret")
    assert str(status) in caught.value.message
    assert server.base_url in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_failing_server_may_be_tried_again(status: int, server: ImageServer, web: Web) -> None:
    with pytest.raises(Unavailable) as caught:
        await web.look(server.put("image", statuses={"HEAD": status, "GET": status}))
    assert caught.value.retry


async def test_a_server_that_hangs_is_given_up(server: ImageServer) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="in time"):
            await Web(session, answer_timeout_s=0.1).look(server.put("image", hangs=True))


async def test_a_closed_port_is_unavailable(web: Web, unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        await web.look(f"http://127.0.0.1:{unused_tcp_port}/image")


async def test_a_range_is_read_as_asked(server: ImageServer, web: Web) -> None:
    url = server.put("image", bytes(range(200)))
    assert await collect(web, url, offset=10, length=5) == bytes(range(10, 15))
    assert await collect(web, url, offset=190) == bytes(range(190, 200))


async def test_a_resource_that_changed_meanwhile_is_an_error(server: ImageServer, web: Web) -> None:
    url = server.put("image", bytes(200))
    with pytest.raises(SourceError, match="changed"):
        await collect(web, url, offset=10, length=5, etag='"old"')


async def test_a_server_that_ignores_ranges_is_not_mistaken_for_one(server: ImageServer, web: Web) -> None:
    with pytest.raises(SourceError):
        await collect(web, server.put("image", bytes(200), has_ranges=False), offset=10, length=5)


async def test_a_connection_that_breaks_off_is_an_error(server: ImageServer, web: Web) -> None:
    with pytest.raises(Unavailable):
        await collect(web, server.put("image", bytes(200), breaks_after=20))


async def test_bytes_arrive_as_they_are_stored(server: ImageServer, web: Web) -> None:
    await collect(web, server.put("image.gz", b"\x1f\x8b..."))
    assert server.resources["image.gz"].headers[0]["Accept-Encoding"] == "identity"


async def test_a_download_stops_at_its_limit(server: ImageServer, web: Web, tmp_path: Path) -> None:
    url = server.put("ramdisk", bytes(100))
    await web.download(url, tmp_path / "ok", limit_bytes=100)
    assert (tmp_path / "ok").read_bytes() == bytes(100)
    with pytest.raises(SourceError, match="larger"):
        await web.download(url, tmp_path / "big", limit_bytes=99)


async def test_a_small_document_is_limited_and_must_be_text(server: ImageServer, web: Web) -> None:
    assert await web.fetch_text(server.put("sums", "déjà".encode())) == "déjà"
    with pytest.raises(SourceError, match="longer"):
        await web.fetch_text(server.put("long", b"x" * 11), limit_bytes=10)
    with pytest.raises(SourceError, match="not text"):
        await web.fetch_text(server.put("binary", b"\xff\xfe"))
