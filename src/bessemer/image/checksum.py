"""Checksums of images: written out, or in a file next to the image."""

import re

import msgspec

from bessemer.kernel.error import InvalidValue, SourceError

#: Algorithms that the agent is asked to verify, by the number of hexadecimal digits.
_BY_LENGTH = {32: "md5", 64: "sha256", 128: "sha512"}
_LENGTHS = {name: length for length, name in _BY_LENGTH.items()}
_HEX = re.compile(r"[0-9a-fA-F]+")
# "SHA256 (name) = digest", as BSD's tools write it.
_BSD_LINE = re.compile(r"\w+ ?\((?P<name>.+)\) ?= ?(?P<digest>[0-9a-fA-F]+)")
# "digest  name" or "digest *name", as the GNU tools write it; the name may be missing.
_GNU_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]+)(?:\s+\*?(?P<name>.+))?")


class Checksum(msgspec.Struct, frozen=True):
    """``value`` is hexadecimal, in lower case."""

    algorithm: str
    value: str


def parse_checksum(value: str, algorithm: str | None = None) -> Checksum:
    """Make a checksum from its digits; the algorithm follows from their number when it is not given.

    Raises:
        InvalidValue: Not hexadecimal, of a wrong length, or an algorithm that is not supported.
    """
    digest = value.strip().lower()
    if not _HEX.fullmatch(digest):
        raise InvalidValue("The image checksum is not hexadecimal.")
    chosen = algorithm.strip().lower() if algorithm else _BY_LENGTH.get(len(digest))
    if chosen not in _LENGTHS:
        given = f"'{algorithm}'" if algorithm else f"of {len(digest)} digits"
        raise InvalidValue(f"The image checksum must be one of {', '.join(_LENGTHS)}, not {given}.")
    if len(digest) != _LENGTHS[chosen]:
        raise InvalidValue(f"A {chosen} checksum has {_LENGTHS[chosen]} digits, this one has {len(digest)}.")
    return Checksum(chosen, digest)


def find_checksum(text: str, file_name: str) -> Checksum:
    """Find the checksum of ``file_name`` in a checksum file.

    A file that holds one checksum and no name is taken to mean the image.

    Raises:
        SourceError: The file has no line for the image, or not a usable checksum in it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    matches = [match for line in lines if (match := _BSD_LINE.fullmatch(line) or _GNU_LINE.fullmatch(line))]
    digests = [match["digest"] for match in matches if _base_name(match["name"]) == file_name]
    if not digests and len(matches) == 1 and matches[0]["name"] is None:
        digests = [matches[0]["digest"]]
    if not digests:
        raise SourceError(f"The checksum file has no checksum of '{file_name}'.")
    try:
        return parse_checksum(digests[0])
    except InvalidValue as error:
        raise SourceError(f"In the checksum file: {error.message}") from error


def _base_name(name: str | None) -> str:
    return (name or "").strip().rpartition("/")[2]
