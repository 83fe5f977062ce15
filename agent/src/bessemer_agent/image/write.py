"""From an image description to bytes on a disk."""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from bessemer_agent.disk import Disk
from bessemer_agent.error import ImageError, InvalidImage
from bessemer_agent.http_client import HttpClient, Route
from bessemer_agent.image.checksum import Checksum, has_checksum, read_checksum
from bessemer_agent.image.compression import decompress
from bessemer_agent.image.download import Download, Patience
from bessemer_agent.image.format import HEAD_BYTES, check_format, detect_compression, detect_format
from bessemer_agent.image.pipeline import Ahead, Digester, rechunk
from bessemer_agent.image.qcow2 import write_qcow2
from bessemer_agent.image.target import ImageTarget
from bessemer_agent.journal import say
from bessemer_agent.progress import Progress
from bessemer_agent.secret import Secret

#: Longest checksum file read.
_CHECKSUM_FILE_BYTES = 1024**2


class Rules(NamedTuple):
    """What the service allows, as its answer to lookup says."""

    is_md5_enabled: bool = False
    #: Empty: any.
    permitted_formats: Sequence[str] = ()
    #: Whether formats are told from the bytes; if not, the description is believed.
    is_deep_inspection: bool = True


class Written(NamedTuple):
    """What was written."""

    disk_format: str
    compression: str | None
    downloaded_bytes: int
    #: Size of the disk image itself.
    image_bytes: int


def check_image_info(image_info: Mapping[str, object]) -> None:
    """Refuse an image description nobody could follow.

    Raises:
        InvalidImage: Identifier, URLs or checksum are missing, or it is a partition image.
    """
    urls = image_info.get("urls")
    if not image_info.get("id"):
        raise InvalidImage("it has no id")
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise InvalidImage("urls must be a list of at least one URL")
    if not has_checksum(image_info):
        raise InvalidImage("it has no checksum, and images are not written unverified")
    if image_info.get("image_type") not in (None, "whole-disk-image", "whole-disk"):
        raise InvalidImage(
            f"image type {image_info['image_type']!r} cannot be written, only whole-disk images"
        )


def read_route(image_info: Mapping[str, object]) -> Route:
    """How the description says to reach its server, and with which credentials.

    Raises:
        InvalidImage: The credentials or proxies are malformed, or the strategy is unknown.
    """
    import base64
    import binascii

    proxies = image_info.get("proxies") or {}
    if not isinstance(proxies, Mapping):
        raise InvalidImage("proxies must be an object of URLs by scheme")
    authorization: Secret | None = None
    strategy = image_info.get("image_server_auth_strategy") or "noauth"
    given = image_info.get("image_request_authorization")
    if given:
        try:
            authorization = Secret(base64.b64decode(str(given), validate=True).decode("latin-1"))
        except binascii.Error as error:
            raise InvalidImage("image_request_authorization is not base64") from error
    elif strategy == "http_basic":
        pair = f"{image_info.get('image_server_user', '')}:{image_info.get('image_server_password', '')}"
        authorization = Secret("Basic " + base64.b64encode(pair.encode()).decode())
    elif strategy != "noauth":
        raise InvalidImage(f"image_server_auth_strategy {strategy!r} is unknown")
    return Route(
        proxies={str(scheme): str(url) for scheme, url in proxies.items()},
        no_proxy=str(image_info.get("no_proxy") or ""),
        authorization=authorization,
    )


def write_image(
    image_info: Mapping[str, object],
    disk: Disk,
    *,
    client: HttpClient,
    progress: Progress,
    rules: Rules | None = None,
    patience: Patience | None = None,
    is_zeroed: bool = False,
) -> Written:
    """Download, verify and write a whole-disk image, all at once.

    Repeating it writes the image again. The disk is not touched before the first bytes have arrived and
    passed the checks of format and size; after a later failure, a wrong checksum included, nothing boots
    from it.

    Args:
        image_info: The service's description (``id, urls, checksum ...``).
        disk: Where to.
        client: Makes the requests.
        progress: Told the bytes downloaded.
        rules: What the service allows.
        patience: How long to keep trying to download.
        is_zeroed: The disk reads as zeros already, as after an erasure.

    Raises:
        InvalidImage: The description or the image's format is refused.
        ImageDownloadFailed, ImageChecksumMismatch, ImageTooLarge, ImageError, DeviceError: As they say.
    """
    rules = rules or Rules()
    check_image_info(image_info)
    route = read_route(image_info)
    checksum = read_checksum(
        image_info,
        is_md5_enabled=rules.is_md5_enabled,
        fetch=lambda url: client.fetch(url, limit_bytes=_CHECKSUM_FILE_BYTES, route=route).decode(
            "utf-8", "replace"
        ),
    )
    urls = [str(url) for url in image_info["urls"]]  # type: ignore[attr-defined]
    download = Download(urls, client, route=route, patience=patience)
    progress.begin("write image")
    say("writing image", image=image_info["id"], disk=disk.path)
    return _Writing(download, ImageTarget(disk, is_zeroed), progress).run(image_info, checksum, rules)


class _Writing:
    """One image being written: the stages, and what must happen when one of them fails."""

    def __init__(self, download: Download, target: ImageTarget, progress: Progress) -> None:
        self._download = download
        self._target = target
        self._progress = progress
        self._received = Ahead(download.chunks(), "download")
        self._plain: Ahead | None = None

    def run(self, image_info: Mapping[str, object], checksum: Checksum, rules: Rules) -> Written:
        declared = str(image_info["disk_format"]) if image_info.get("disk_format") else None
        digester = Digester(hashlib.new(checksum.algorithm))
        try:
            written = self._write(digester.watch(self._count()), declared, rules)
            checksum.verify(digester.finish())
            self._progress.begin("flush")
            self._target.commit()
        except BaseException:
            self._target.abort()
            raise
        finally:
            # From the outside in: a stage that waits for its source is woken by the source's end.
            self._received.close()
            if self._plain:
                self._plain.close()
            digester.close()
        return written._replace(downloaded_bytes=self._download.received_bytes)

    def _write(self, incoming: Iterator[bytes], declared: str | None, rules: Rules) -> Written:
        first = next(incoming, b"")
        compression = detect_compression(first)
        stream: Iterable[bytes] = chain([first], incoming)
        if compression:
            stream = self._plain = Ahead(decompress(stream, compression), "decompress")
        chunks = rechunk(stream)
        head = next(chunks, b"")
        if not head:
            raise ImageError("it is empty")
        found = detect_format(head[:HEAD_BYTES])
        found = check_format(found, declared, rules.permitted_formats, is_deep=rules.is_deep_inspection)
        if found != "qcow2" and not compression and self._download.total_bytes is not None:
            self._target.check_size(self._download.total_bytes)
        write = write_qcow2 if found == "qcow2" else self._write_raw
        image_bytes = write(chain([head], chunks), self._target)
        return Written(found, compression, 0, image_bytes)

    def _count(self) -> Generator[bytes, None, None]:
        for chunk in self._received:
            self._progress.set_total(self._download.total_bytes)
            self._progress.add(len(chunk))
            yield chunk

    @staticmethod
    def _write_raw(chunks: Iterable[bytes], target: ImageTarget) -> int:
        offset = 0
        for chunk in chunks:
            target.write(offset, chunk)
            offset += len(chunk)
        return offset
