"""Volume targets: list, show, make, change, delete; and the list of a node's."""

from collections.abc import Mapping, Sequence
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import volume as table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.volume import VOLUME_TARGET
from bessemer.api.v1.view import View, view
from bessemer.config.settings import ApiSettings
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.store.volume_target import VolumeTargetFilter

_SEE_PROPERTIES = "baremetal:volume:view_target_properties"
_ALL = "/volume/targets"
_ONE = f"{_ALL}/{{volume target}}"


class VolumeTargetApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._targets = services.volume_targets
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
                body=VOLUME_TARGET.creation,
            ),
            Route("GET", _ONE, self.get, rule="baremetal:volume:get", since=since, query=table.GET),
            Route(
                "PATCH",
                _ONE,
                self.update,
                rule="baremetal:volume:update",
                since=since,
                body=PatchOf(VOLUME_TARGET),
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
        shown = show.full(VOLUME_TARGET, call)
        target = await self._targets.get(call.caller, show.uuid(call, VOLUME_TARGET))
        return show.one(call, shown, _redacted(call, shown, shown.row_of(target)))

    async def create(self, call: Call) -> Answer:
        shown = show.full(VOLUME_TARGET, call)
        target = await self._targets.create(call.caller, call.body)
        return show.one(call, shown, _redacted(call, shown, shown.row_of(target)), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        target = await self._targets.update(
            call.caller,
            show.uuid(call, VOLUME_TARGET),
            lambda target: patch.apply(lambda name: getattr(target, name)),
        )
        shown = view(VOLUME_TARGET, call.version.minor, "all")
        return show.one(call, shown, _redacted(call, shown, shown.row_of(target)))

    async def delete(self, call: Call) -> Answer:
        await self._targets.delete(call.caller, show.uuid(call, VOLUME_TARGET))
        return empty()

    async def _list(self, call: Call, more: Mapping[str, Any]) -> Answer:
        shown = view(VOLUME_TARGET, call.version.minor, selection(VOLUME_TARGET, call))
        asked = page(VOLUME_TARGET, call, most=self._most)
        found: dict[str, Any] = {"project": call.query.get("project")}
        if "node" in call.query:
            found["node_uuid"] = (await self._nodes.get(call.caller.asking(SEE), call.query["node"])).uuid
        filters = VolumeTargetFilter(**{**found, **more})
        rows = await self._targets.list_rows(call.caller, shown.columns, filters, asked)
        return show.many(call, shown, [_redacted(call, shown, row) for row in rows], asked)


def _redacted(call: Call, shown: View, row: Sequence[Any]) -> Sequence[Any]:
    """``row``, without its properties where they are not for the caller."""
    if "properties" not in shown.columns or call.caller.may(_SEE_PROPERTIES):
        return row
    found = list(row)
    found[shown.columns.index("properties")] = {"redacted_contents": f"needs the rule {_SEE_PROPERTIES}"}
    return found
