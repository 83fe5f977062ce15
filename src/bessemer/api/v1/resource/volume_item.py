"""Volume connectors and targets: list, show, make, change, delete; and the list of a node's."""

from collections.abc import Callable, Sequence
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import volume as table
from bessemer.api.v1.table.field import Table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.volume import VOLUME_CONNECTOR, VOLUME_TARGET
from bessemer.api.v1.view import View, view
from bessemer.config.settings import ApiSettings
from bessemer.service.node import NodeService
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.service.volume import VolumeService

_RULE = "baremetal:volume:{}".format
_SEE_PROPERTIES = _RULE("view_target_properties")

Redact = Callable[[Call, View, Sequence[Any]], Sequence[Any]]


def volume_routes(services: Services, settings: ApiSettings) -> list[Route]:
    """The calls of both kinds."""
    connectors = VolumeItemApi(VOLUME_CONNECTOR, services.volume_connectors, services.nodes, settings)
    targets = VolumeItemApi(
        VOLUME_TARGET, services.volume_targets, services.nodes, settings, redact=_without_properties
    )
    return [*connectors.routes(), *targets.routes()]


def _without_properties(call: Call, shown: View, row: Sequence[Any]) -> Sequence[Any]:
    """``row``, without its properties where they are not for the caller."""
    if "properties" not in shown.columns or call.caller.may(_SEE_PROPERTIES):
        return row
    found = list(row)
    found[shown.columns.index("properties")] = {"redacted_contents": f"needs the rule {_SEE_PROPERTIES}"}
    return found


class VolumeItemApi:
    """The calls of one kind. ``redact`` takes out of a row what is not for the caller."""

    def __init__(
        self,
        of: Table,
        items: VolumeService[Any],
        nodes: NodeService,
        settings: ApiSettings,
        *,
        redact: Redact = lambda call, shown, row: row,
    ) -> None:
        self._table = of
        self._items = items
        self._nodes = nodes
        self._most = settings.max_limit
        self._redact = redact

    def routes(self) -> list[Route]:
        every, since = f"/{self._table.path}", table.SINCE
        one, body = f"{every}/{{{self._table.noun}}}", PatchOf(self._table)
        making = self._table.creation
        return [
            Route("GET", every, self.list, rule=_RULE("list"), since=since, query=table.LIST),
            Route("POST", every, self.create, rule=_RULE("create"), since=since, body=making),
            Route("GET", one, self.get, rule=_RULE("get"), since=since, query=table.GET),
            Route("PATCH", one, self.update, rule=_RULE("update"), since=since, body=body),
            Route("DELETE", one, self.delete, rule=_RULE("delete"), since=since),
            Route(
                "GET",
                f"/nodes/{{node}}{every}",
                self.list_of_node,
                rule=_RULE("get"),
                since=since,
                query=table.LIST,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        node_uuid = None
        if "node" in call.query:
            node_uuid = (await self._nodes.get(call.caller.asking(SEE), call.query["node"])).uuid
        return await self._list(call, node_uuid)

    async def list_of_node(self, call: Call) -> Answer:
        return await self._list(call, (await self._nodes.get(call.caller, show.ident(call, NODE))).uuid)

    async def get(self, call: Call) -> Answer:
        shown = show.full(self._table, call)
        return self._one(call, shown, await self._items.get(call.caller, show.uuid(call, self._table)))

    async def create(self, call: Call) -> Answer:
        shown = show.full(self._table, call)
        return self._one(call, shown, await self._items.create(call.caller, call.body), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        item = await self._items.update(
            call.caller,
            show.uuid(call, self._table),
            lambda item: patch.apply(lambda name: getattr(item, name)),
        )
        return self._one(call, view(self._table, call.version.minor, "all"), item)

    async def delete(self, call: Call) -> Answer:
        await self._items.delete(call.caller, show.uuid(call, self._table))
        return empty()

    def _one(self, call: Call, shown: View, item: Any, *, status: int = 200) -> Answer:
        return show.one(call, shown, self._redact(call, shown, shown.row_of(item)), status=status)

    async def _list(self, call: Call, node_uuid: str | None) -> Answer:
        shown = view(self._table, call.version.minor, selection(self._table, call))
        asked = page(self._table, call, most=self._most)
        rows = await self._items.list_rows(
            call.caller, shown.columns, asked, node_uuid=node_uuid, project=call.query.get("project")
        )
        return show.many(call, shown, [self._redact(call, shown, row) for row in rows], asked)
