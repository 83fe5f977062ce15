"""Looks whether an image can be had, before a machine is touched for it."""

import msgspec

from bessemer.config.settings import Settings
from bessemer.image.checksum import Checksum, find_checksum
from bessemer.image.source import ImageSource, require_allowed
from bessemer.kernel.error import InvalidValue, SourceError, Unavailable
from bessemer.transfer.file import look_at_file
from bessemer.transfer.web import Web


class ImageFacts(msgspec.Struct, frozen=True):
    """What was found. Plain data: it can be kept in an operation.

    ``is_reachable`` false: we got no answer, and the agent, which fetches the image itself, may well get
    one; ``warning`` says what happened. ``checksum`` None: the agent has to read the checksum file.
    """

    size: int | None
    is_reachable: bool
    checksum: Checksum | None
    warning: str = ""


async def probe(source: ImageSource, web: Web, settings: Settings) -> ImageFacts:
    """Look at the image and, when its checksum is in a file, read that. Idempotent, without effects.

    Raises:
        SourceError: A definite no (HTTP status, missing file, place not allowed, no such line in the checksum
            file), or no answer for an image that has to come through us. The message names the URL
            without credentials.
    """
    try:
        size = await _size(source, web, settings)
        checksum = source.checksum or await _fetch_checksum(source, web, settings)
    except Unavailable as error:
        if source.is_relayed:
            raise SourceError(f"The {source} cannot be had: {error.message}") from error
        return ImageFacts(None, is_reachable=False, checksum=source.checksum, warning=error.message)
    return ImageFacts(size, is_reachable=True, checksum=checksum)


async def _size(source: ImageSource, web: Web, settings: Settings) -> int | None:
    if source.path is not None:
        file = await look_at_file(source.path, within=settings.conductor.file_url_allowed_paths)
        return file.size
    facts = await web.look(source.url, headers=source.request_headers)
    return facts.size


async def _fetch_checksum(source: ImageSource, web: Web, settings: Settings) -> Checksum:
    text = await web.fetch_text(source.checksum_url, headers=source.request_headers)
    checksum = find_checksum(text, source.name)
    try:
        require_allowed(checksum, settings)
    except InvalidValue as error:
        raise SourceError(error.message, hint=error.hint) from error
    return checksum
