import asyncio
import io
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pycdlib
import pytest

from bessemer.boot.artefact import BootArtefacts
from bessemer.boot.capability import is_boot_key
from bessemer.boot.iso import AGENT_CONFIG, GRUB_CONFIG, SLOTS
from bessemer.config.settings import ConductorSettings, DeploySettings, Settings
from bessemer.kernel.error import InternalError, InvalidValue, SourceError, Unavailable
from bessemer.transfer.blob import Blob
from bessemer.transfer.web import Web
from fakes.http_server import ImageServer
from fakes.record import BOOT_KEY, NODE_UUID, TOKEN, make_node

KERNEL, RAMDISK = b"kernel" * 1000, b"ramdisk" * 100_000
API = "http://10.0.2.2:6385"
Make = Callable[..., BootArtefacts]


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Any]:
    """Settings of a kernel and a ramdisk on this host."""
    (tmp_path / "vmlinuz").write_bytes(KERNEL)
    (tmp_path / "initrd").write_bytes(RAMDISK)
    return {"deploy_kernel": str(tmp_path / "vmlinuz"), "deploy_ramdisk": str(tmp_path / "initrd")}


@pytest.fixture
async def make(tmp_path: Path, web: Web) -> AsyncIterator[Make]:
    made = []

    def make(conductor: dict[str, Any], **deploy: Any) -> BootArtefacts:
        settings = Settings(conductor=ConductorSettings(**conductor), deploy=DeploySettings(**deploy))
        made.append(BootArtefacts(settings, cache_directory=tmp_path / "cache", web=web, api_url=API))
        return made[-1]

    yield make
    for artefacts in made:
        await artefacts.close()


async def read(blob: Blob) -> bytes:
    return b"".join([piece async for piece in blob.read()])


def extract(image: bytes, name: str) -> bytes:
    """A file of an ISO, found by its Rock Ridge name."""
    iso, out = pycdlib.PyCdlib(), io.BytesIO()
    iso.open_fp(io.BytesIO(image))
    iso.get_file_from_iso_fp(out, rr_path=f"/{name}")
    iso.close()
    return out.getvalue()


async def test_the_iso_holds_kernel_ramdisk_and_the_nodes_two_files(make: Make, pair: dict[str, Any]) -> None:
    blob = await make(pair).open_iso(make_node())
    image = await read(blob)
    assert len(image) == blob.size
    assert extract(image, "boot/vmlinuz") == KERNEL
    assert extract(image, "boot/ramdisk") == RAMDISK
    grub, agent = extract(image, GRUB_CONFIG).decode(), extract(image, AGENT_CONFIG).decode()
    assert f"'ipa-api-url={API}'" in grub
    assert TOKEN in agent
    assert TOKEN not in grub
    assert len(grub) == SLOTS[GRUB_CONFIG]
    # Firmware and boot loaders read ahead; what lies at the very end they may not be able to read at all.
    assert not any(image[-150 * 2048 :])


async def test_no_secret_is_ever_on_the_disk(make: Make, pair: dict[str, Any], tmp_path: Path) -> None:
    image = await read(await make(pair).open_iso(make_node()))
    assert TOKEN.encode() in image
    assert not any(TOKEN.encode() in path.read_bytes() for path in (tmp_path / "cache").iterdir())


async def test_other_tools_find_the_iso_well_formed(make: Make, pair: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "node.iso"
    target.write_bytes(await read(await make(pair).open_iso(make_node())))
    command = ["xorriso", "-indev", str(target), "-pvd_info", "-report_el_torito", "plain", "-find", "/"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert re.search(r"Volume Id\s*: VMEDIA_BOOT_ISO", done.stdout)
    assert re.search(r"El Torito boot img.*UEFI\s+y", done.stdout)
    assert re.search(r"El Torito boot img.*BIOS\s+y", done.stdout)
    for name in (*SLOTS, "boot/vmlinuz", "boot/ramdisk"):
        assert f"'/{name}'" in done.stdout


async def test_equal_records_give_equal_bytes_and_another_token_another_etag(
    make: Make, pair: dict[str, Any]
) -> None:
    artefacts = make(pair)
    one, same = await artefacts.open_iso(make_node()), await artefacts.open_iso(make_node())
    other = await artefacts.open_iso(make_node(driver_internal_info={"agent_secret_token": "other"}))
    assert (one.etag, await read(one)) == (same.etag, await read(same))
    assert one.etag != other.etag
    assert one.size == other.size


async def test_a_template_outlives_the_process(make: Make, pair: dict[str, Any], tmp_path: Path) -> None:
    first = await make(pair).open_iso(make_node())
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    again = await make(pair).open_iso(make_node())
    assert first.etag == again.etag
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}


async def test_a_new_ramdisk_under_the_old_name_makes_a_new_template(
    make: Make, pair: dict[str, Any]
) -> None:
    artefacts = make(pair)
    before = await artefacts.open_iso(make_node())
    Path(pair["deploy_ramdisk"]).write_bytes(b"newer")  # noqa: ASYNC240
    after = await artefacts.open_iso(make_node())
    assert before.etag != after.etag
    assert extract(await read(after), "boot/ramdisk") == b"newer"


async def test_many_nodes_at_once_share_one_template(
    make: Make, pair: dict[str, Any], tmp_path: Path
) -> None:
    artefacts = make(pair)
    nodes = [make_node(driver_internal_info={"agent_secret_token": f"t{number}"}) for number in range(20)]
    blobs = await asyncio.gather(*(artefacts.open_iso(node) for node in nodes))
    assert len({blob.etag for blob in blobs}) == 20
    assert len({blob.file for blob in blobs}) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 3  # the template and the two GRUB images


async def test_a_ramdisk_on_a_web_server_is_fetched_once(make: Make, server: ImageServer) -> None:
    urls = {
        "deploy_kernel": server.put("vmlinuz", KERNEL),
        "deploy_ramdisk": server.put("initrd", RAMDISK),
    }
    artefacts = make({})
    node = make_node(driver_info=urls)
    await artefacts.prepare(node)
    image = await read(await artefacts.open_iso(node))
    assert extract(image, "boot/ramdisk") == RAMDISK
    assert server.resources["initrd"].methods == ["HEAD", "GET"]


async def test_a_finished_iso_is_passed_on_as_it_is(make: Make, server: ImageServer) -> None:
    node = make_node(driver_info={"deploy_iso": server.put("agent.iso", b"an ISO")})
    assert await read(await make({}).open_iso(node)) == b"an ISO"


async def test_a_ramdisk_that_cannot_be_had_is_named(
    make: Make, server: ImageServer, unused_tcp_port: int
) -> None:
    kernel = server.put("vmlinuz", KERNEL)
    missing = {"deploy_kernel": kernel, "deploy_ramdisk": f"{server.base_url}/nothing"}
    with pytest.raises(SourceError, match="/nothing answered with HTTP status 404"):
        await make({}).prepare(make_node(driver_info=missing))
    away = {"deploy_kernel": kernel, "deploy_ramdisk": f"http://127.0.0.1:{unused_tcp_port}/initrd"}
    with pytest.raises(Unavailable, match="cannot be reached"):
        await make({}).prepare(make_node(driver_info=away))


async def test_a_caller_reads_no_file_through_a_link(make: Make, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "secret").write_text("not yours")
    (tmp_path / "images" / "agent.iso").symlink_to(tmp_path / "secret")
    node = make_node(driver_info={"deploy_iso": f"file://{tmp_path}/images/agent.iso"})
    with pytest.raises(SourceError, match="file_url_allowed_paths"):
        await make({"file_url_allowed_paths": [f"{tmp_path}/images"]}).open_iso(node)


async def test_validation_touches_nothing(make: Make, pair: dict[str, Any], tmp_path: Path) -> None:
    make({"deploy_kernel": "/nowhere/k", "deploy_ramdisk": "/nowhere/r"}).validate(make_node())
    with pytest.raises(InvalidValue):
        make(pair).validate(make_node(driver_info={"kernel_append_params": "a\nb"}))
    with pytest.raises(InvalidValue):
        make({}).validate(make_node())
    assert not (tmp_path / "cache").exists()


async def test_the_url_carries_the_key_and_the_base_that_fits(make: Make) -> None:
    end = f"/boot/{NODE_UUID}/{BOOT_KEY}/boot.iso"
    assert make({}).url_for(make_node(), "http://api:6385/") == f"http://api:6385{end}"
    external = make({}, http_url="http://inside", external_http_url="http://outside")
    assert external.url_for(make_node(), "http://api") == f"http://outside{end}"
    own = make_node(driver_info={"external_http_url": "http://own"})
    assert external.url_for(own, "http://api") == f"http://own{end}"
    image = f"/boot/{NODE_UUID}/{BOOT_KEY}/image"
    assert external.image_url_for(make_node(), "http://api") == f"http://inside{image}"
    callback = make({}, external_callback_url="http://callback", external_http_url="http://outside")
    assert callback.image_url_for(make_node(), "http://api") == f"http://callback{image}"
    assert make({}).image_url_for(make_node(), "http://api") == f"http://api{image}"


async def test_a_node_without_a_key_has_no_url(make: Make) -> None:
    bare = make_node(driver_internal_info={})
    with pytest.raises(InternalError):
        make({}).url_for(bare, "http://api")
    assert not is_boot_key(bare, "")
    assert is_boot_key(make_node(), BOOT_KEY)
    assert not is_boot_key(make_node(), BOOT_KEY[:-1] + "é")
