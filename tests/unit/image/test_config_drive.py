import base64
import gzip
import io
import json
import zlib
from typing import Any

import pycdlib
import pytest

from bessemer.image.config_drive import LIMIT_BYTES, check_config_drive, make_config_drive
from bessemer.kernel.error import InvalidValue
from fakes.record import NODE_UUID, make_node


class Drive:
    """A config drive as a deployed system sees it."""

    def __init__(self, packed: str | None) -> None:
        assert packed is not None
        self.image = gzip.decompress(base64.b64decode(packed))
        self.iso = pycdlib.PyCdlib()
        self.iso.open_fp(io.BytesIO(self.image))

    def read(self, name: str, version: str = "latest", by: str = "rr_path") -> bytes:
        out = io.BytesIO()
        self.iso.get_file_from_iso_fp(out, **{by: f"/openstack/{version}/{name}"})
        return out.getvalue()

    def names(self) -> set[str]:
        children = self.iso.list_children(rr_path="/openstack/latest")
        return {name for child in children if (name := child.rock_ridge.name().decode()) not in (".", "..")}


async def drive(value: Any, **node: Any) -> Drive:
    return Drive(await make_config_drive(make_node(**node), value))


FULL = {
    "meta_data": {"uuid": "u", "name": "n", "hostname": "h.example", "public_keys": {"k": "ssh-ed25519 AAA"}},
    "user_data": "#!/bin/sh\necho grüße\n",
    "network_data": {"links": [], "networks": [], "services": []},
    "vendor_data": {"cloud-init": "#cloud-config\n{}"},
}


async def test_every_part_lies_where_cloud_init_looks_for_it() -> None:
    made = await drive(FULL)
    assert made.image[0x8001:0x8006] == b"CD001"
    assert made.iso.pvd.volume_identifier.decode().strip() == "config-2"
    for version in ("latest", "2012-08-10"):
        for by in ("rr_path", "joliet_path"):
            assert json.loads(made.read("meta_data.json", version, by)) == FULL["meta_data"]
    assert json.loads(made.read("network_data.json")) == FULL["network_data"]
    assert json.loads(made.read("vendor_data2.json")) == FULL["vendor_data"]
    assert made.read("user_data").decode() == FULL["user_data"]


async def test_identity_comes_from_the_node_when_it_is_not_given() -> None:
    meta = json.loads((await drive({"user_data": "x"})).read("meta_data.json"))
    assert meta == {"uuid": NODE_UUID, "name": "rack1-u7", "hostname": "rack1-u7"}
    instance = json.loads((await drive({"user_data": "x"}, instance_name="web-1")).read("meta_data.json"))
    assert (instance["name"], instance["hostname"]) == ("web-1", "web-1")
    nameless = json.loads((await drive({"user_data": "x"}, name=None)).read("meta_data.json"))
    assert nameless == {"uuid": NODE_UUID, "hostname": NODE_UUID}


async def test_only_what_was_given_is_on_the_drive() -> None:
    assert (await drive({"meta_data": {"a": 1}})).names() == {"meta_data.json"}


async def test_user_data_text_is_used_as_it_stands_and_objects_become_json() -> None:
    encoded = base64.b64encode(b"#cloud-config").decode()
    assert (await drive({"user_data": encoded})).read("user_data").decode() == encoded
    ignition = {"ignition": {"version": "3.4.0"}}
    assert json.loads((await drive({"user_data": ignition})).read("user_data")) == ignition


async def test_the_same_content_is_stored_once_for_both_versions() -> None:
    body = "x" * 3_000_000
    assert len((await drive({"user_data": body})).image) < 1.2 * len(body)


async def test_a_given_drive_is_passed_on_as_it_is() -> None:
    packed = base64.b64encode(gzip.compress(b"an image")).decode()
    assert await make_config_drive(make_node(), packed) == packed
    wrapped = "\n".join(packed[start : start + 10] for start in range(0, len(packed), 10))
    assert await make_config_drive(make_node(), wrapped) == wrapped
    url = "https://host/drive"
    assert await make_config_drive(make_node(), url) == url


@pytest.mark.parametrize("nothing", [None, "", {}])
async def test_no_drive_is_no_drive(nothing: Any) -> None:
    assert await make_config_drive(make_node(), nothing) is None


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("not base64!", "base64"),
        (packed(b"no gzip"), "gzip"),
        (packed(gzip.compress(b"an image" * 100, mtime=0)[:-9]), "cut short"),
        (packed(gzip.compress(b"", mtime=0)), "cut short"),
        ("https://host/a drive", "URL"),
        (["a"], "object"),
        ({"metadata": {}}, "metadata"),
        ({"meta_data": "text"}, "meta_data"),
        ({"network_data": []}, "network_data"),
        ({"user_data": 7}, "user_data"),
    ],
)
async def test_a_bad_drive_is_refused_with_the_reason(bad: Any, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        await make_config_drive(make_node(), bad)


def test_the_form_alone_can_be_checked_at_once() -> None:
    check_config_drive("anything: looked into later")
    with pytest.raises(InvalidValue):
        check_config_drive({"meta_data": []})


async def test_a_drive_that_unpacks_to_too_much_is_refused_without_unpacking_it_all() -> None:
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1024 * 1024)
    data = b"".join(packer.compress(block) for _ in range(LIMIT_BYTES // len(block) + 1)) + packer.flush()
    with pytest.raises(InvalidValue, match="64 MiB"):
        await make_config_drive(make_node(), packed(data))


async def test_a_drive_that_would_become_too_large_is_refused() -> None:
    with pytest.raises(InvalidValue, match="64 MiB"):
        await make_config_drive(make_node(), {"user_data": "x" * LIMIT_BYTES})
