"""What a node's ``instance_info`` says of the image to write: where it is, what it is, how it travels."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.image.checksum import Checksum, parse_checksum
from bessemer.kernel.error import InvalidValue, Unsupported
from bessemer.kernel.secret import Secret
from bessemer.transfer.file import is_within
from bessemer.transfer.url import WEB_SCHEMES, check_web, file_path, scheme_of, shown

_DOWNLOAD_SOURCES = ("http", "local")
_WHOLE_DISK = ("whole-disk", "whole-disk-image")
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ImageSource:
    """``path`` is set for files of this host, ``url`` (which may hold credentials) for all others.

    Exactly one of ``checksum`` and ``checksum_url`` is set. ``is_relayed``: the agent fetches the image
    through us instead of going to the source itself.
    """

    name: str
    path: Path | None
    url: str = field(repr=False)
    is_relayed: bool
    checksum: Checksum | None
    checksum_url: str = field(repr=False)
    disk_format: str | None
    authorization: Secret | None

    def __str__(self) -> str:
        return f"image file {self.path}" if self.path else f"image {shown(self.url)}"

    @property
    def request_headers(self) -> dict[str, str]:
        """Headers that our own requests to the image server need."""
        if self.authorization is None:
            return {}
        return {"Authorization": base64.b64decode(self.authorization.reveal()).decode("latin-1")}


def validate_instance(node: Node, settings: Settings) -> None:
    """Check that ``instance_info`` describes an image that can be written; reads nothing, asks nobody.

    Raises: As ``image_source``.
    """
    image_source(node, settings)


def image_source(node: Node, settings: Settings) -> ImageSource:
    """Understand ``instance_info``.

    Raises:
        InvalidValue: Something is missing or malformed; the message names the field.
        Unsupported: Right in form, but not something we can write yet.

    Source: the ``image_*`` fields of instance_info in the v1 API.
    """
    info = node.instance_info
    _check_kind(info)
    reference = info.get("image_source")
    if not reference or not isinstance(reference, str):
        raise InvalidValue("instance_info.image_source is missing: it says which image to write.")
    path, url = _place(reference, settings)
    checksum, checksum_url = _checksum(info, settings)
    return ImageSource(
        name=_file_name(path, url),
        path=path,
        url=url,
        is_relayed=path is not None or _download_source(node, settings) == "local",
        checksum=checksum,
        checksum_url=checksum_url,
        disk_format=_disk_format(info, settings),
        authorization=_authorization(info),
    )


def _check_kind(info: dict[str, Any]) -> None:
    if info.get("boot_iso"):
        if info.get("image_source"):
            raise InvalidValue("instance_info may hold image_source or boot_iso, not both.")
        raise Unsupported("Booting an instance from boot_iso is not supported by this deploy interface.")
    kind = info.get("image_type")
    if kind is not None and kind not in (*_WHOLE_DISK, "partition"):
        raise InvalidValue("instance_info.image_type must be 'whole-disk' or 'partition'.")
    if kind == "partition" or (kind is None and (info.get("kernel") or info.get("ramdisk"))):
        raise Unsupported("Partition images are not supported yet; use a whole-disk image.")


def _place(reference: str, settings: Settings) -> tuple[Path | None, str]:
    scheme = scheme_of(reference)
    if scheme in WEB_SCHEMES:
        return None, check_web(reference, "instance_info.image_source")
    if scheme != "file":
        raise Unsupported(
            f"instance_info.image_source '{shown(reference)[:200]}' is not an http, https or file URL; "
            "other image services are not supported yet."
        )
    path = file_path(reference)
    if not is_within(path, settings.conductor.file_url_allowed_paths):
        raise InvalidValue(
            f"instance_info.image_source: {path} is not in a directory that images may come from.",
            hint="The operator lists those in [conductor]file_url_allowed_paths.",
        )
    return path, ""


def _checksum(info: dict[str, Any], settings: Settings) -> tuple[Checksum | None, str]:
    value, algorithm = info.get("image_os_hash_value"), info.get("image_os_hash_algo")
    if bool(value) != bool(algorithm):
        raise InvalidValue("instance_info needs both image_os_hash_algo and image_os_hash_value, or neither.")
    given = value or info.get("image_checksum")
    if not given:
        raise InvalidValue(
            "instance_info has no checksum of the image.",
            hint="Set image_checksum, or image_os_hash_algo and image_os_hash_value.",
        )
    if not isinstance(given, str) or not isinstance(algorithm, str | None):
        raise InvalidValue("The image checksum in instance_info must be text.")
    if not value and scheme_of(given) in WEB_SCHEMES:
        return None, check_web(given, "instance_info.image_checksum")
    checksum = parse_checksum(given, algorithm)
    require_allowed(checksum, settings)
    return checksum, ""


def require_allowed(checksum: Checksum, settings: Settings) -> None:
    """Raises InvalidValue for an MD5 checksum where the operator does not accept those."""
    if checksum.algorithm == "md5" and not settings.agent.allow_md5_checksum:
        raise InvalidValue(
            "MD5 checksums of images are not accepted here.", hint="Give a SHA-256 or SHA-512 checksum."
        )


def _disk_format(info: dict[str, Any], settings: Settings) -> str | None:
    permitted = settings.conductor.permitted_image_formats
    disk_format = info.get("image_disk_format")
    if disk_format is not None and disk_format not in permitted:
        raise InvalidValue(f"instance_info.image_disk_format must be one of {', '.join(permitted)}.")
    return disk_format


def _download_source(node: Node, settings: Settings) -> str:
    name = (
        node.instance_info.get("image_download_source")
        or node.driver_info.get("image_download_source")
        or settings.agent.image_download_source
    )
    if name == "swift":
        raise Unsupported("image_download_source 'swift' is not supported; use 'http' or 'local'.")
    if name not in _DOWNLOAD_SOURCES:
        raise InvalidValue("image_download_source must be 'http' or 'local'.")
    return str(name)


def _authorization(info: dict[str, Any]) -> Secret | None:
    value = info.get("image_request_authorization")
    if not value:
        return None
    try:
        header = base64.b64decode(value, validate=True).decode("latin-1")
    except (binascii.Error, ValueError, TypeError):
        header = ""
    if not header or not header.isprintable():
        raise InvalidValue("instance_info.image_request_authorization must be base64 of a header value.")
    return Secret(value)


def _file_name(path: Path | None, url: str) -> str:
    name = path.name if path else unquote(urlsplit(url).path).rpartition("/")[2]
    return name or "image"


def plain_name(name: str) -> str:
    """``name`` with only letters that are harmless in a file name."""
    return _NAME.sub("_", name).strip("._")[:100] or "image"
