"""Virtual media of a node: what is in its drives, put in, taken out."""

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import virtual_media as table
from bessemer.api.v1.table.node import NODE
from bessemer.kernel.error import Unsupported
from bessemer.service.services import Services

_PATH = "/nodes/{node}/vmedia"


class NodeVirtualMediaApi:
    def __init__(self, services: Services) -> None:
        self._media = services.virtual_media

    def routes(self) -> list[Route]:
        return [
            Route("GET", _PATH, self.list, rule="baremetal:node:vmedia:get", since=table.LIST_SINCE),
            Route(
                "POST",
                _PATH,
                self.attach,
                rule="baremetal:node:vmedia:attach",
                since=table.SINCE,
                body=table.ATTACH,
            ),
            Route(
                "DELETE",
                _PATH,
                self.detach,
                rule="baremetal:node:vmedia:detach",
                since=table.SINCE,
                query=table.DETACH,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        return ok(await self._media.list(call.caller, show.ident(call, NODE)))

    async def attach(self, call: Call) -> Answer:
        device = show.check_word("device_type", call.body["device_type"], table.DEVICES)
        source = call.body.get("image_download_source", "http")
        if show.check_word("image_download_source", source, table.SOURCES) != "http":
            raise Unsupported(
                f"Virtual media can not be had from '{source}'.", hint="With http the BMC fetches the image."
            )
        await self._media.attach(call.caller, show.ident(call, NODE), device, call.body["image_url"])
        return empty()

    async def detach(self, call: Call) -> Answer:
        devices = call.query.get("device_types")
        for device in devices or ():
            show.check_word("device_types", device, table.DEVICES)
        await self._media.detach(call.caller, show.ident(call, NODE), devices)
        return empty()
