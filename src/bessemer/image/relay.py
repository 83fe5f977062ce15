"""Images that reach the agent through us: files of this host, or from servers it cannot reach itself."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.image.source import ImageSource, image_source
from bessemer.kernel.error import InvalidValue
from bessemer.transfer.blob import Blob, FileBlob
from bessemer.transfer.file import look_at_file
from bessemer.transfer.web import Web


@dataclass(frozen=True, slots=True)
class WebBlob:
    """A resource of a web server, read as fast as our own reader takes it."""

    web: Web
    size: int | None
    etag: str
    is_ranged: bool
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def read(self, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        return self.web.read(self.url, offset=offset, length=length, etag=self.etag, headers=self.headers)


class ImageRelay:
    """Opens the images of nodes. Holds nothing about any node."""

    def __init__(self, settings: Settings, web: Web) -> None:
        self._settings = settings
        self._web = web

    async def open(self, node: Node) -> Blob:
        """Give the node's image, if it is to come through us.

        Raises:
            InvalidValue: ``instance_info`` names no image, or one that the agent fetches itself.
            SourceError: It cannot be had.
            Unavailable: Its server does not answer now.
        """
        source = image_source(node, self._settings)
        if not source.is_relayed:
            raise InvalidValue("The node's image does not come through this service.")
        if source.path is not None:
            allowed = self._settings.conductor.file_url_allowed_paths
            return FileBlob(await look_at_file(source.path, within=allowed))
        return await self._open_web(source)

    async def _open_web(self, source: ImageSource) -> WebBlob:
        facts = await self._web.look(source.url, headers=source.request_headers)
        return WebBlob(self._web, facts.size, facts.etag, facts.is_ranged, source.url, source.request_headers)
