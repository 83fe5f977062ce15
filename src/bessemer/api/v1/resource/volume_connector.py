"""Volume connectors: list, show, make, change, delete; and the list of a node's."""

from collections.abc import Mapping
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import volume as table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.volume import VOLUME_CONNECTOR
from bessemer.api.v1.view import view
from bessemer.config.settings import ApiSettings
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.store.volume_connector import VolumeConnectorFilter

_ALL = "/volume/connectors"
_ONE = f"{_ALL}/{{volume connector}}"


class VolumeConnectorApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._connectors = services.volume_connectors
        self._nodes = services.nodes
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        since = table.SINCE
        return [
            Route("GET", _ALL, self.list, rule="baremetal:volume:list", since=since, query=table.LIST),
            Route(
                "POST",
                _ALL,
                self.create,
                rule="baremetal:volume:create",
                since=since,
                body=VOLUME_CONNECTOR.creation,
            ),
            Route("GET", _ONE, self.get, rule="baremetal:volume:get", since=since, query=table.GET),
            Route(
                "PATCH",
                _ONE,
                self.update,
                rule="baremetal:volume:update",
                since=since,
                body=PatchOf(VOLUME_CONNECTOR),
            ),
            Route("DELETE", _ONE, self.delete, rule="baremetal:volume:delete", since=since),
            Route(
                "GET",
                f"/nodes/{{node}}{_ALL}",
                self.list_of_node,
                rule="baremetal:volume:get",
                since=since,
                query=table.LIST,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        return await self._list(call, {})

    async def list_of_node(self, call: Call) -> Answer:
        node = await self._nodes.get(call.caller, show.ident(call, NODE))
        return await self._list(call, {"node_uuid": node.uuid})

    async def get(self, call: Call) -> Answer:
        shown = show.full(VOLUME_CONNECTOR, call)
        connector = await self._connectors.get(call.caller, show.uuid(call, VOLUME_CONNECTOR))
        return show.one(call, shown, shown.row_of(connector))

    async def create(self, call: Call) -> Answer:
        shown = show.full(VOLUME_CONNECTOR, call)
        connector = await self._connectors.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(connector), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        connector = await self._connectors.update(
            call.caller,
            show.uuid(call, VOLUME_CONNECTOR),
            lambda connector: patch.apply(lambda name: getattr(connector, name)),
        )
        shown = view(VOLUME_CONNECTOR, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(connector))

    async def delete(self, call: Call) -> Answer:
        await self._connectors.delete(call.caller, show.uuid(call, VOLUME_CONNECTOR))
        return empty()

    async def _list(self, call: Call, more: Mapping[str, Any]) -> Answer:
        shown = view(VOLUME_CONNECTOR, call.version.minor, selection(VOLUME_CONNECTOR, call))
        asked = page(VOLUME_CONNECTOR, call, most=self._most)
        found: dict[str, Any] = {"project": call.query.get("project")}
        if "node" in call.query:
            found["node_uuid"] = (await self._nodes.get(call.caller.asking(SEE), call.query["node"])).uuid
        filters = VolumeConnectorFilter(**{**found, **more})
        rows = await self._connectors.list_rows(call.caller, shown.columns, filters, asked)
        return show.many(call, shown, rows, asked)
