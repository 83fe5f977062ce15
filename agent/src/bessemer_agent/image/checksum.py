"""What the downloaded bytes must hash to.

An image description gives a checksum in one of these forms, the first one found counts: ``os_hash_algo`` with
``os_hash_value``; ``checksum`` as hexadecimal text, whose length tells the algorithm; ``checksum`` as the
URL of a checksum file. MD5 is refused unless the service allows it.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bessemer_agent.error import ImageChecksumMismatch, InvalidImage

_ALGORITHM_BY_LENGTH = {32: "md5", 64: "sha256", 96: "sha384", 128: "sha512"}
_KNOWN = ("md5", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512")
_HEX = re.compile(r"[0-9a-f]+")
#: "hash  name", "hash *name".
_PLAIN_LINE = re.compile(r"([0-9A-Fa-f]{32,128})[ \t]+\*?(\S.*)")
#: "SHA256 (name) = hash".
_TAGGED_LINE = re.compile(r"[A-Za-z0-9-]+ ?\((.+)\) ?= ?([0-9A-Fa-f]{32,128})")

#: Fetches a small text from a URL.
FetchText = Callable[[str], str]


class Checksum(NamedTuple):
    """An algorithm of hashlib and the digest it must give, in lower-case hexadecimal."""

    algorithm: str
    expected: str

    def verify(self, actual: str) -> None:
        """Compare with the digest of what was downloaded.

        Raises:
            ImageChecksumMismatch: They differ; names both.
        """
        if actual != self.expected:
            raise ImageChecksumMismatch(f"{self.algorithm} should be {self.expected}, but is {actual}")


def has_checksum(image_info: Mapping[str, object]) -> bool:
    """Whether the description carries any form of checksum."""
    has_pair = bool(image_info.get("os_hash_algo")) and bool(image_info.get("os_hash_value"))
    return has_pair or bool(image_info.get("checksum"))


def read_checksum(image_info: Mapping[str, object], *, is_md5_enabled: bool, fetch: FetchText) -> Checksum:
    """The checksum of an image description.

    Raises:
        InvalidImage: None is given, it is no checksum, its algorithm is unknown or not allowed, or the
        checksum
            file has no line for the image.
    """
    algorithm, value = image_info.get("os_hash_algo"), image_info.get("os_hash_value")
    if algorithm and value:
        return _check(str(algorithm), str(value), is_md5_enabled)
    text = str(image_info.get("checksum") or "").strip()
    if not text:
        raise InvalidImage("it has no checksum, and images are not written unverified")
    if text.startswith(("http://", "https://")):
        urls = image_info.get("urls")
        first = str(urls[0]) if isinstance(urls, list) and urls else ""
        text = find_in_checksum_file(fetch(text), file_name(first))
    return _check(_ALGORITHM_BY_LENGTH.get(len(text), ""), text, is_md5_enabled)


def find_in_checksum_file(text: str, name: str) -> str:
    """The digest a checksum file gives for ``name``; a file that is nothing but one digest gives that.

    Raises:
        InvalidImage: No line is for ``name``.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) == 1 and _HEX.fullmatch(lines[0].lower()):
        return lines[0].lower()
    for line in lines:
        tagged, plain = _TAGGED_LINE.fullmatch(line), _PLAIN_LINE.fullmatch(line)
        found = (tagged[1], tagged[2]) if tagged else (plain[2], plain[1]) if plain else None
        if found and found[0].rpartition("/")[2] == name:
            return found[1].lower()
    raise InvalidImage(f"the checksum file has no line for {name}")


def file_name(url: str) -> str:
    """The last part of a URL's path."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(url).path.rpartition("/")[2])


def _check(algorithm: str, value: str, is_md5_enabled: bool) -> Checksum:
    name, digest = algorithm.strip().lower().replace("-", "_"), value.strip().lower()
    if not _HEX.fullmatch(digest):
        raise InvalidImage(f"{value!r} is not a checksum")
    if name not in _KNOWN:
        raise InvalidImage(f"the checksum {value!r} is of an unknown algorithm; known: {', '.join(_KNOWN)}")
    if name == "md5" and not is_md5_enabled:
        raise InvalidImage("its only checksum is MD5, which the service has not enabled")
    return Checksum(name, digest)
