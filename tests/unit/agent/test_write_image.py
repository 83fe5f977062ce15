import base64
import gzip
import hashlib
import random
from collections.abc import Callable

import pytest

from bessemer_agent.disk import MIB, Disk
from bessemer_agent.error import (
    AgentError,
    ImageChecksumMismatch,
    ImageDownloadFailed,
    ImageTooLarge,
    InvalidImage,
)
from bessemer_agent.http_client import HttpClient
from bessemer_agent.image.download import Patience
from bessemer_agent.image.write import Rules, Written, read_route, write_image
from bessemer_agent.progress import Progress
from unit.agent.image_server import ImageServer

MakeDisk = Callable[..., Disk]
_NOISE = random.Random(3)
IMAGE = b"".join(
    _NOISE.randbytes(MIB // 2) + bytes(MIB // 2) if n % 3 else bytes(MIB) for n in range(8)
) + _NOISE.randbytes(1536)


def write(server: ImageServer, disk: Disk, body: bytes, **changes: object) -> Written:
    server.files.setdefault("/image", body)
    info: dict[str, object] = {
        "id": "image-1",
        "urls": [server.url("/image")],
        "os_hash_algo": "sha256",
        "os_hash_value": hashlib.sha256(body).hexdigest(),
        "disk_format": "raw",
    }
    rules = changes.pop("rules", None)
    is_zeroed = bool(changes.pop("is_zeroed", False))
    assert rules is None or isinstance(rules, Rules)
    return write_image(
        info | changes,
        disk,
        client=HttpClient(5.0),
        progress=Progress(),
        rules=rules,
        patience=Patience(0, 0.0),
        is_zeroed=is_zeroed,
    )


def ends_are_wiped(disk: Disk) -> bool:
    ends = disk.read(0, MIB) + disk.read(disk.size_bytes - MIB, MIB)
    return not ends.strip(b"\0")


def test_a_raw_image_is_on_the_disk_byte_for_byte(image_server: ImageServer, make_disk: MakeDisk) -> None:
    disk = make_disk()
    written = write(image_server, disk, IMAGE)
    assert disk.read(0, len(IMAGE)) == IMAGE
    assert written == Written("raw", None, len(IMAGE), len(IMAGE))


def test_a_compressed_image_is_verified_as_downloaded_and_written_plain(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk, packed = make_disk(), gzip.compress(IMAGE)
    written = write(image_server, disk, packed)
    assert disk.read(0, len(IMAGE)) == IMAGE
    assert (written.compression, written.downloaded_bytes) == ("gzip", len(packed))


def test_zeros_are_not_written_to_a_disk_that_reads_as_zeros(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk()  # in truth full of 0xAA, so that what is left out can be seen
    write(image_server, disk, IMAGE, is_zeroed=True)
    assert disk.read(3 * MIB, MIB) == b"\xaa" * MIB
    assert disk.read(4 * MIB, MIB) == IMAGE[4 * MIB : 5 * MIB].replace(bytes(64 * 1024), b"\xaa" * 64 * 1024)


def test_a_wrong_checksum_leaves_a_disk_that_nothing_boots_from(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk()
    with pytest.raises(ImageChecksumMismatch):
        write(image_server, disk, IMAGE, os_hash_value="0" * 64)
    assert ends_are_wiped(disk)


def test_a_download_that_breaks_off_leaves_a_disk_that_nothing_boots_from(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk()
    image_server.drops = [5 * MIB]
    with pytest.raises(ImageDownloadFailed):
        write(image_server, disk, IMAGE)
    assert ends_are_wiped(disk)


def test_a_disk_is_untouched_when_the_image_is_not_there(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk()
    with pytest.raises(ImageDownloadFailed, match="404"):
        write(image_server, disk, IMAGE, urls=[image_server.url("/nothing")])
    assert disk.read(0, disk.size_bytes) == b"\xaa" * disk.size_bytes


def test_a_raw_image_larger_than_the_disk_is_refused_before_anything_is_written(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk(4 * MIB)
    with pytest.raises(ImageTooLarge, match=str(len(IMAGE))):
        write(image_server, disk, IMAGE)
    assert disk.read(0, disk.size_bytes) == b"\xaa" * disk.size_bytes


def test_a_compressed_image_larger_than_the_disk_fails_at_its_end(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk(4 * MIB)
    with pytest.raises(ImageTooLarge):
        write(image_server, disk, gzip.compress(IMAGE))
    assert ends_are_wiped(disk)


def test_a_qcow2_image_declared_as_raw_is_refused_and_the_disk_untouched(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    disk = make_disk()
    with pytest.raises(InvalidImage, match="qcow2"):
        write(image_server, disk, b"QFI\xfb\0\0\0\3" + bytes(MIB))
    with pytest.raises(InvalidImage, match="qcow2"):
        write(image_server, disk, b"", urls=[image_server.url("/packed")], **packed_qcow2(image_server))
    assert disk.read(0, 512) == b"\xaa" * 512


def packed_qcow2(server: ImageServer) -> dict[str, object]:
    body = gzip.compress(b"QFI\xfb\0\0\0\3" + bytes(MIB))
    server.files["/packed"] = body
    return {"os_hash_value": hashlib.sha256(body).hexdigest()}


def test_formats_outside_the_services_list_are_refused(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    with pytest.raises(InvalidImage, match="permits qcow2"):
        write(image_server, make_disk(), IMAGE, rules=Rules(permitted_formats=["qcow2"]))


def test_an_empty_image_is_an_error(image_server: ImageServer, make_disk: MakeDisk) -> None:
    with pytest.raises(AgentError, match="empty"):
        write(image_server, make_disk(), b"")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": ""}, "no id"),
        ({"urls": []}, "urls"),
        ({"urls": "http://a"}, "urls"),
        ({"os_hash_value": None}, "checksum"),
        ({"image_type": "partition"}, "partition"),
        ({"proxies": "http://p"}, "proxies"),
        ({"image_server_auth_strategy": "kerberos"}, "kerberos"),
        ({"image_request_authorization": "%%%"}, "base64"),
    ],
)
def test_a_description_nobody_could_follow_is_refused(
    image_server: ImageServer, make_disk: MakeDisk, changes: dict[str, object], why: str
) -> None:
    with pytest.raises(InvalidImage, match=why):
        write(image_server, make_disk(), IMAGE, **changes)


def test_credentials_come_from_the_description_and_are_not_shown() -> None:
    basic = read_route(
        {
            "image_server_auth_strategy": "http_basic",
            "image_server_user": "u",
            "image_server_password": "pass:word",
        }
    )
    assert basic.authorization is not None
    assert basic.authorization.reveal() == "Basic " + base64.b64encode(b"u:pass:word").decode()
    assert "pass" not in repr(basic)
    bearer = read_route({"image_request_authorization": base64.b64encode(b"Bearer t").decode()})
    assert bearer.authorization is not None
    assert bearer.authorization.reveal() == "Bearer t"


def test_progress_counts_downloaded_bytes_then_names_the_flush(
    image_server: ImageServer, make_disk: MakeDisk
) -> None:
    image_server.files["/image"] = IMAGE
    info = {"id": "x", "urls": [image_server.url("/image")], "checksum": hashlib.sha256(IMAGE).hexdigest()}
    seen: list[tuple[str, int]] = []

    class Watched(Progress):
        def add(self, size_bytes: int) -> None:
            super().add(size_bytes)
            wire = self.to_wire()
            assert wire["bytes_total"] == len(IMAGE)
            seen.append((str(wire["phase"]), int(str(wire["bytes_done"]))))

    progress = Watched()
    write_image(info, make_disk(), client=HttpClient(5.0), progress=progress)
    assert seen[-1] == ("write image", len(IMAGE))
    assert [done for _, done in seen] == sorted(done for _, done in seen)
    assert progress.to_wire()["phase"] == "flush"
