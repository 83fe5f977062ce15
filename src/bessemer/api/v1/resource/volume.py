"""The documents that lead to volume connectors and targets: of the whole service, and of one node."""

from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, ok
from bessemer.api.v1.route import Route
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.volume import SINCE
from bessemer.service.services import Services


class VolumeApi:
    def __init__(self, services: Services) -> None:
        self._nodes = services.nodes

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/volume", self.show, rule="baremetal:volume:get", since=SINCE),
            Route("GET", "/nodes/{node}/volume", self.show_of_node, rule="baremetal:volume:get", since=SINCE),
        ]

    async def show(self, call: Call) -> Answer:
        call.caller.check()
        return ok(_document(call, "volume"))

    async def show_of_node(self, call: Call) -> Answer:
        node = await self._nodes.get(call.caller, show.ident(call, NODE))
        return ok(_document(call, f"nodes/{node.uuid}/volume"))


def _document(call: Call, path: str) -> dict[str, Any]:
    return {
        "links": _links(call, f"{path}/"),
        "connectors": _links(call, f"{path}/connectors"),
        "targets": _links(call, f"{path}/targets"),
    }


def _links(call: Call, path: str) -> list[dict[str, str]]:
    return [
        {"href": f"{call.base}/v1/{path}", "rel": "self"},
        {"href": f"{call.base}/{path}", "rel": "bookmark"},
    ]
