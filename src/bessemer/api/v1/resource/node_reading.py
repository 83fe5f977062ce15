"""What was read from a node: BIOS settings and firmware components, to look at."""

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, ok
from bessemer.api.v1.page import selection
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import reading as table
from bessemer.api.v1.table.field import Table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.reading import BIOS_SETTING, FIRMWARE_COMPONENT
from bessemer.api.v1.view import Links, view
from bessemer.domain.node import Node
from bessemer.service.services import Services

_BIOS = "/nodes/{node}/bios"
_FIRMWARE = "/nodes/{node}/firmware"


class NodeReadingApi:
    def __init__(self, services: Services) -> None:
        self._readings = services.readings

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                _BIOS,
                self.list_bios,
                rule="baremetal:node:bios:get",
                since=table.BIOS_SINCE,
                query=table.BIOS_LIST,
            ),
            Route(
                "GET",
                f"{_BIOS}/{{setting}}",
                self.get_bios_setting,
                rule="baremetal:node:bios:get",
                since=table.BIOS_SINCE,
            ),
            Route(
                "GET",
                _FIRMWARE,
                self.list_firmware,
                rule="baremetal:node:firmware:get",
                since=table.FIRMWARE_SINCE,
                query=table.FIRMWARE_LIST,
            ),
        ]

    async def list_bios(self, call: Call) -> Answer:
        shown = view(BIOS_SETTING, call.version.minor, selection(BIOS_SETTING, call))
        ident = show.ident(call, NODE)
        node, rows = await self._readings.list_bios_rows(call.caller, ident, shown.columns)
        links = _links(call, BIOS_SETTING, node)
        return ok({BIOS_SETTING.wrapper: [shown.render(row, links) for row in rows]})

    async def get_bios_setting(self, call: Call) -> Answer:
        """The setting under its own name, not as the document itself."""
        shown = view(BIOS_SETTING, call.version.minor, "all")
        ident, name = show.ident(call, NODE), call.params["setting"]
        node, setting = await self._readings.get_bios_setting(call.caller, ident, name)
        links = _links(call, BIOS_SETTING, node)
        return ok({setting.name: shown.render(shown.row_of(setting), links)})

    async def list_firmware(self, call: Call) -> Answer:
        shown = view(FIRMWARE_COMPONENT, call.version.minor, selection(FIRMWARE_COMPONENT, call))
        ident = show.ident(call, NODE)
        node, rows = await self._readings.list_firmware_rows(call.caller, ident, shown.columns)
        links = _links(call, FIRMWARE_COMPONENT, node)
        return ok({FIRMWARE_COMPONENT.wrapper: [shown.render(row, links) for row in rows]})


def _links(call: Call, table: Table, node: Node) -> Links:
    return Links(call.base, table.path.format(node=node.uuid))
