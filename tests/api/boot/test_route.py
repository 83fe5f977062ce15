import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from starlette.applications import Starlette

from bessemer.api.boot.route import routes
from bessemer.boot.artefact import BootArtefacts
from bessemer.boot.capability import READ_AT
from bessemer.config.settings import ConductorSettings, Settings
from bessemer.image.relay import ImageRelay
from bessemer.kernel.clock import SystemClock, timestamp
from bessemer.kernel.error import DatabaseLost
from bessemer.store.database import Database
from bessemer.store.node import create_node, get_node, merge_node, update_node
from bessemer.store.vault import Vault
from bessemer.transfer.web import Web
from fakes.http_server import ImageServer, image_server, serving
from fakes.record import BOOT_KEY, NODE_UUID, TOKEN, make_node
from fakes.wait import until
from fixture_database import KEYS

API = "http://10.0.2.2:6385"
BASE = f"/boot/{NODE_UUID}/{BOOT_KEY}"
ISO, IMAGE = f"{BASE}/boot.iso", f"{BASE}/image"
OTHER_UUID = "99999999-2222-4333-8444-555555555555"


class Site:
    """The routes served for real, over a database with one node."""

    def __init__(self, database: Database, session: aiohttp.ClientSession, upstream: ImageServer) -> None:
        self.database = database
        self.session = session
        self.upstream = upstream

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await update_node(tx, NODE_UUID, **changes)

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, headers=sent) as response:
            return response.status, response.headers, await response.read()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    for name, size in (("vmlinuz", 10_000), ("initrd", 700_000)):
        (tmp_path / name).write_bytes(bytes(range(250)) * (size // 250))
    settings = Settings(
        conductor=ConductorSettings(
            deploy_kernel=str(tmp_path / "vmlinuz"),
            deploy_ramdisk=str(tmp_path / "initrd"),
            file_url_allowed_paths=[str(tmp_path)],
        )
    )
    database = await Database.open(
        f"sqlite:///{tmp_path}/test.sqlite", clock=SystemClock(), vault=Vault(KEYS)
    )
    async with database.write() as tx:
        await create_node(tx, make_node())
    async with aiohttp.ClientSession() as outward, image_server() as upstream:
        web = Web(outward, answer_timeout_s=30.0, stall_timeout_s=30.0)
        artefacts = BootArtefacts(settings, cache_directory=tmp_path / "cache", web=web, api_url=API)
        app = Starlette(routes=routes(artefacts, ImageRelay(settings, web), database))
        async with serving(app) as base_url, aiohttp.ClientSession(base_url) as session:
            yield Site(database, session, upstream)
        await artefacts.close()
    await database.close()


async def test_the_iso_is_sent_whole_with_size_and_validator(site: Site) -> None:
    status, headers, body = await site.get(ISO)
    assert status == 200
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"].startswith('"')
    assert body[0x8001:0x8006] == b"CD001"
    assert TOKEN.encode() in body


async def test_reading_the_iso_is_noted_as_a_sign_of_life_and_seldom(site: Site) -> None:
    async def noted() -> str | None:
        async with site.database.read() as tx:
            found: str | None = (await get_node(tx, NODE_UUID)).driver_internal_info.get(READ_AT)
        return found

    assert await noted() is None
    assert (await site.get(f"/boot/{NODE_UUID}/{BOOT_KEY[:-1]}x/boot.iso"))[0] == 404
    assert await noted() is None
    await site.get(ISO, "HEAD")  # a BMC looks whether it is there
    assert await noted() is None
    await site.get(ISO, Range="bytes=0-0")
    first = await noted()
    assert first is not None
    await site.get(ISO, Range="bytes=0-0")
    assert await noted() == first
    await site.change(
        driver_internal_info={"boot_key": BOOT_KEY, READ_AT: timestamp(SystemClock(), after_s=-60)}
    )
    await site.get(ISO, Range="bytes=0-0")
    assert (await noted() or "") > first


async def test_head_tells_the_same_and_sends_nothing(site: Site) -> None:
    _, whole, body = await site.get(ISO)
    status, headers, nothing = await site.get(ISO, "HEAD")
    assert (status, nothing) == (200, b"")
    for name in ("Content-Length", "ETag", "Accept-Ranges", "Content-Type"):
        assert headers[name] == whole[name]
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize("asked", ["bytes=0-0", "bytes=40000-69999", "bytes=700000-", "bytes=-2048"])
async def test_a_range_is_that_part_of_the_whole(asked: str, site: Site) -> None:
    _, _, whole = await site.get(ISO)
    status, headers, body = await site.get(ISO, Range=asked)
    assert status == 206
    first, _, rest = headers["Content-Range"].removeprefix("bytes ").partition("-")
    last, _, total = rest.partition("/")
    assert int(total) == len(whole)
    assert body == whole[int(first) : int(last) + 1]
    assert len(body) == int(headers["Content-Length"])


async def test_an_iso_put_together_from_ranges_is_the_iso(site: Site) -> None:
    _, headers, whole = await site.get(ISO)
    step = 64 * 1024
    parts = [
        (await site.get(ISO, Range=f"bytes={start}-{start + step - 1}", If_Range=headers["ETag"]))[2]
        for start in range(0, len(whole), step)
    ]
    assert b"".join(parts) == whole


async def test_a_range_behind_the_end_is_refused_with_the_size(site: Site) -> None:
    _, whole, _ = await site.get(ISO, "HEAD")
    status, headers, body = await site.get(ISO, Range="bytes=99999999-")
    assert (status, body) == (416, b"")
    assert headers["Content-Range"] == f"bytes */{whole['Content-Length']}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=x-y"])
async def test_a_range_that_is_not_understood_gets_the_whole(asked: str, site: Site) -> None:
    status, headers, body = await site.get(ISO, Range=asked)
    assert status == 200
    assert len(body) == int(headers["Content-Length"])


async def test_a_client_that_has_it_already_is_told_so(site: Site) -> None:
    _, headers, _ = await site.get(ISO, "HEAD")
    status, again, body = await site.get(ISO, If_None_Match=f'"other", W/{headers["ETag"]}')
    assert (status, body) == (304, b"")
    assert again["ETag"] == headers["ETag"]


async def test_a_range_of_an_older_iso_gets_the_whole_new_one(site: Site) -> None:
    _, old, _ = await site.get(ISO, "HEAD")
    async with site.database.write() as tx:
        await merge_node(tx, NODE_UUID, "driver_internal_info", {"agent_secret_token": "another"})
    status, new, _ = await site.get(ISO, Range="bytes=0-9", If_Range=old["ETag"])
    assert status == 200
    assert new["ETag"] != old["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        f"/boot/{NODE_UUID}/{BOOT_KEY[:-1]}x/boot.iso",
        f"/boot/{NODE_UUID}/{BOOT_KEY}x/boot.iso",
        f"/boot/{OTHER_UUID}/{BOOT_KEY}/boot.iso",
        f"/boot/rack1-u7/{BOOT_KEY}/boot.iso",
        f"/boot/{NODE_UUID}/%C3%A9/boot.iso",
        f"{BASE}/",
        f"{BASE}/vmlinuz",
        f"/boot/{NODE_UUID}/",
        "/boot/",
    ],
)
async def test_everything_that_does_not_fit_is_a_plain_404(path: str, site: Site) -> None:
    status, _, body = await site.get(path)
    assert status == 404
    assert NODE_UUID.encode() not in body


async def test_a_url_ends_with_its_key(site: Site) -> None:
    await site.change(driver_internal_info={})
    assert (await site.get(ISO))[0] == 404
    assert (await site.get(f"/boot/{NODE_UUID}/None/boot.iso"))[0] == 404


async def test_nothing_can_be_written(site: Site) -> None:
    assert (await site.get(ISO, "POST"))[0] == 405
    assert (await site.get(ISO, "DELETE"))[0] == 405


async def test_an_image_of_this_host_comes_through_us(site: Site, tmp_path: Path) -> None:
    (tmp_path / "image.raw").write_bytes(b"0123456789")
    info = {"image_source": f"file://{tmp_path}/image.raw", "image_checksum": "ab" * 32}
    await site.change(instance_info=info)
    assert (await site.get(IMAGE))[2] == b"0123456789"
    status, _, body = await site.get(IMAGE, Range="bytes=3-5")
    assert (status, body) == (206, b"345")


def remote(url: str) -> dict[str, str]:
    return {"image_source": url, "image_checksum": "ab" * 32, "image_download_source": "local"}


async def test_an_image_of_another_server_comes_through_us(site: Site) -> None:
    data = bytes(range(256)) * 10_000
    await site.change(instance_info=remote(site.upstream.put("image", data)))
    status, headers, body = await site.get(IMAGE)
    assert (status, body) == (200, data)
    status, _, part = await site.get(IMAGE, Range="bytes=1000000-1000009", If_Range=headers["ETag"])
    assert (status, part) == (206, data[1_000_000:1_000_010])


async def test_an_image_of_unknown_length_is_sent_without_ranges(site: Site) -> None:
    url = site.upstream.put("image", b"12345", has_length=False, has_ranges=False)
    await site.change(instance_info=remote(url))
    status, headers, body = await site.get(IMAGE, Range="bytes=1-2")
    assert (status, body) == (200, b"12345")
    assert "Accept-Ranges" not in headers


async def test_a_source_that_fails_before_its_first_byte_is_a_503(site: Site) -> None:
    url = site.upstream.put("image", b"1", statuses={"GET": 500})
    await site.change(instance_info=remote(url))
    status, headers, body = await site.get(IMAGE)
    assert (status, body) == (503, b"")
    assert "ETag" not in headers


async def test_a_source_that_breaks_off_is_seen_by_the_client(site: Site) -> None:
    url = site.upstream.put("image", bytes(2_000_000), breaks_after=1_500_000)
    await site.change(instance_info=remote(url))
    with pytest.raises(aiohttp.ClientPayloadError):
        await site.get(IMAGE)


async def test_an_image_that_is_not_ours_to_pass_on_is_not_found(site: Site) -> None:
    url = site.upstream.put("image", b"1")
    await site.change(instance_info={**remote(url), "image_download_source": "http"})
    assert (await site.get(IMAGE))[0] == 404
    await site.change(instance_info={})
    assert (await site.get(IMAGE))[0] == 404


async def test_an_iso_whose_ramdisk_is_gone_is_a_503(site: Site, tmp_path: Path) -> None:
    (tmp_path / "initrd").unlink()
    assert (await site.get(ISO))[0] == 503


async def test_no_log_line_holds_the_key_or_the_token(site: Site, tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        await site.get(ISO)
        (tmp_path / "initrd").unlink()
        await site.get(ISO)
        await site.get(f"{ISO}x")
    assert any(line["event"] == "boot artefact not available" for line in lines)
    for secret in (BOOT_KEY, TOKEN):
        assert secret not in str(lines)
        assert not any(secret in record.getMessage() for record in caplog.records)


async def test_a_client_that_leaves_ends_the_reading(site: Site, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"")
    with (tmp_path / "large").open("r+b") as file:
        file.truncate(1 << 30)
    info = {"image_source": f"file://{tmp_path}/large", "image_checksum": "ab" * 32}
    await site.change(instance_info=info)
    response = await site.session.get(IMAGE)
    assert await response.content.read(1000)
    assert open_files(tmp_path / "large") == 1
    response.close()
    await until(lambda: not open_files(tmp_path / "large"))


def open_files(path: Path) -> int:
    """How often this process has ``path`` open."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(entry.readlink())
        except FileNotFoundError:
            continue
    return links.count(path)


async def test_a_database_that_is_away_is_a_503(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseLost("The database cannot be reached.")

    monkeypatch.setattr(site.database, "read", away)
    assert (await site.get(ISO))[0] == 503
