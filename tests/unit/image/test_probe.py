from pathlib import Path
from typing import Any

import pytest

from bessemer.config.settings import AgentSettings, ConductorSettings, Settings
from bessemer.image.info import image_info
from bessemer.image.probe import ImageFacts, probe
from bessemer.image.relay import ImageRelay
from bessemer.image.source import image_source
from bessemer.kernel.error import InvalidValue, SourceError, Unavailable
from bessemer.transfer.web import Web
from fakes.http_server import ImageServer
from fakes.record import make_node

SHA256 = "ab" * 32
RELAY = "http://us/boot/node/key/image"


def node_of(url: str, **info: Any) -> Any:
    return make_node(instance_info={"image_source": url, "image_checksum": SHA256, **info})


async def look(web: Web, url: str, settings: Settings | None = None, **info: Any) -> ImageFacts:
    chosen = settings or Settings()
    return await probe(image_source(node_of(url, **info), chosen), web, chosen)


async def test_a_reachable_image_has_a_size(server: ImageServer, web: Web) -> None:
    facts = await look(web, server.put("image", b"12345"))
    assert (facts.size, facts.is_reachable, facts.warning) == (5, True, "")


async def test_a_missing_image_is_refused_before_a_machine_is_touched(server: ImageServer, web: Web) -> None:
    with pytest.raises(SourceError, match="404"):
        await look(web, f"{server.base_url}/nothing")


async def test_an_image_out_of_our_reach_may_be_in_the_agents(web: Web, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/image"
    facts = await look(web, url)
    assert not facts.is_reachable
    assert "cannot be reached" in facts.warning
    with pytest.raises(SourceError, match="cannot be reached"):
        await look(web, url, image_download_source="local")


async def test_a_file_is_looked_at_and_must_be_allowed(tmp_path: Path, web: Web) -> None:
    (tmp_path / "image").write_bytes(b"123")
    settings = Settings(conductor=ConductorSettings(file_url_allowed_paths=[str(tmp_path)]))
    assert (await look(web, f"file://{tmp_path}/image", settings)).size == 3
    with pytest.raises(SourceError, match="does not exist"):
        await look(web, f"file://{tmp_path}/missing", settings)


async def test_the_checksum_is_read_from_its_file(server: ImageServer, web: Web) -> None:
    sums = server.put("SUMS", f"{SHA256}  image.raw\n".encode())
    facts = await look(web, server.put("image.raw", b"1"), image_checksum=sums)
    assert facts.checksum is not None
    assert facts.checksum.value == SHA256


async def test_a_checksum_file_without_the_image_or_with_md5_alone_is_refused(
    server: ImageServer, web: Web
) -> None:
    image = server.put("image.raw", b"1")
    with pytest.raises(SourceError, match=r"image\.raw"):
        await look(web, image, image_checksum=server.put("SUMS", b"nothing here"))
    strict = Settings(agent=AgentSettings(allow_md5_checksum=False))
    md5 = server.put("MD5SUMS", f"{'ab' * 16}  image.raw\n".encode())
    with pytest.raises(SourceError, match="MD5"):
        await look(web, image, strict, image_checksum=md5)


async def test_authorization_goes_with_our_own_requests(server: ImageServer, web: Web) -> None:
    url = server.put("image", b"1")
    await look(web, url, image_request_authorization="QmVhcmVyIHg=")
    assert server.resources["image"].headers[0]["Authorization"] == "Bearer x"


def document(
    url: str, facts: ImageFacts | None = None, driver_info: Any = None, **info: Any
) -> dict[str, Any]:
    settings = Settings(conductor=ConductorSettings(file_url_allowed_paths=["/srv"]))
    node = make_node(
        instance_info={"image_source": url, "image_checksum": SHA256, **info}, driver_info=driver_info or {}
    )
    source = image_source(node, settings)
    found = facts or ImageFacts(5, is_reachable=True, checksum=source.checksum)
    return image_info(node, source, found, settings, relay_url=RELAY)


def test_the_agent_is_told_where_the_image_is_and_what_it_must_hash_to() -> None:
    info = document("http://host/images/debian%2012.raw?x=1", image_disk_format="raw")
    assert info["urls"] == ["http://host/images/debian%2012.raw?x=1"]
    assert info["id"] == "debian_12.raw"
    assert (info["os_hash_algo"], info["os_hash_value"]) == ("sha256", SHA256)
    assert (info["disk_format"], info["image_type"]) == ("raw", "whole-disk-image")
    assert "checksum" not in info


def test_a_name_that_leads_elsewhere_is_made_harmless() -> None:
    assert document("http://host/..%2f..%2fetc%2fpasswd")["id"] == "passwd"
    assert document("http://host/")["id"] == "image"
    assert document("http://host/..")["id"] == "image"


def test_an_md5_and_an_unread_checksum_file_use_the_old_field() -> None:
    assert document("http://host/i", image_checksum="cd" * 16)["checksum"] == "cd" * 16
    unread = ImageFacts(None, is_reachable=False, checksum=None)
    info = document("http://host/i", unread, image_checksum="http://host/SUMS")
    assert info["checksum"] == "http://host/SUMS"


def test_what_is_for_the_image_server_is_not_sent_when_we_are_in_between() -> None:
    extra = {
        "driver_info": {"image_https_proxy": "http://proxy", "image_no_proxy": "a,b"},
        "image_request_authorization": "QmVhcmVyIHg=",
    }
    direct = document("http://host/i", **extra)
    assert direct["proxies"] == {"https": "http://proxy"}
    assert direct["no_proxy"] == "a,b"
    assert direct["image_request_authorization"] == "QmVhcmVyIHg="
    relayed = document("http://host/i", **extra, image_download_source="local")
    assert relayed["urls"] == [RELAY]
    assert not {"proxies", "no_proxy", "image_request_authorization"} & relayed.keys()
    assert document("file:///srv/i")["urls"] == [RELAY]


async def test_the_relay_opens_files_and_web_images(server: ImageServer, web: Web, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"from a file")
    settings = Settings(conductor=ConductorSettings(file_url_allowed_paths=[str(tmp_path)]))
    relay = ImageRelay(settings, web)
    file = await relay.open(node_of(f"file://{tmp_path}/image"))
    assert [piece async for piece in file.read(5)] == [b"a file"]
    remote = await relay.open(node_of(server.put("image", b"from the web"), image_download_source="local"))
    assert remote.size == 12
    assert b"".join([piece async for piece in remote.read(5, 3)]) == b"the"


async def test_the_relay_is_no_way_to_other_peoples_servers(server: ImageServer, web: Web) -> None:
    relay = ImageRelay(Settings(), web)
    with pytest.raises(InvalidValue):
        await relay.open(node_of(server.put("image", b"1")))
    with pytest.raises(InvalidValue):
        await relay.open(make_node())
    failing = server.put("failing", statuses={"HEAD": 500, "GET": 500})
    with pytest.raises(Unavailable):
        await relay.open(node_of(failing, image_download_source="local"))
