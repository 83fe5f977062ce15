"""The service's ISO and the agent that is booted from it understand each other."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pycdlib
import pytest

from bessemer.boot.artefact import BootArtefacts
from bessemer.boot.iso import AGENT_CONFIG, VOLUME_LABEL
from bessemer.config.settings import ConductorSettings, Settings
from bessemer.transfer.web import Web
from bessemer_agent.virtual_media import load_configuration, read_iso_label
from fakes.record import NODE_UUID, TOKEN, make_node

API = "https://bessemer.example:6385"


@pytest.fixture
async def iso(tmp_path: Path) -> Path:
    """A node's ISO as a file."""
    for name in ("vmlinuz", "initrd"):
        (tmp_path / name).write_bytes(b"boot me")
    conductor = ConductorSettings(
        deploy_kernel=str(tmp_path / "vmlinuz"), deploy_ramdisk=str(tmp_path / "initrd")
    )
    async with aiohttp.ClientSession() as session:
        artefacts = BootArtefacts(
            Settings(conductor=conductor),
            cache_directory=tmp_path / "cache",
            web=Web(session),
            api_url=API,
        )
        blob = await artefacts.open_iso(make_node())
        target = tmp_path / "node.iso"
        target.write_bytes(b"".join([piece async for piece in blob.read()]))
        await artefacts.close()
    return target


def test_the_agent_recognises_its_medium(iso: Path) -> None:
    assert read_iso_label(iso) == VOLUME_LABEL


def test_the_agent_copies_its_options_from_the_medium(iso: Path, tmp_path: Path) -> None:
    root = tmp_path / "ramdisk"
    (root / "sys/block/sr0").mkdir(parents=True)
    (root / "dev").mkdir()
    (root / "dev/sr0").symlink_to(iso)

    @contextmanager
    def unpacked(device: Path, *_: str) -> Any:
        """Stands for the kernel, which here cannot mount ISOs."""
        medium = tmp_path / "medium"
        (medium / AGENT_CONFIG).parent.mkdir(parents=True)
        image = pycdlib.PyCdlib()
        image.open(str(device))
        image.get_file_from_iso(str(medium / AGENT_CONFIG), rr_path=f"/{AGENT_CONFIG}")
        image.close()
        yield medium

    options = load_configuration("vmedia", root, unpacked)
    assert options["api_url"] == API
    assert options["agent_token"] == TOKEN
    assert options["node_uuid"] == NODE_UUID
    assert load_configuration(None, tmp_path / "elsewhere", unpacked) == {}
