"""Port groups: list, show, make, change, delete; and the lists of a node's port groups."""

from collections.abc import Mapping
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import portgroup as table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.portgroup import PORTGROUP
from bessemer.api.v1.version import Behaviour
from bessemer.api.v1.view import Selection, view
from bessemer.config.settings import ApiSettings
from bessemer.kernel.error import Forbidden, InvalidValue
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.store.portgroup import PortgroupFilter

_ONE = "/portgroups/{portgroup}"
_BELOW_NODE = "/nodes/{node}/portgroups"


class PortgroupApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._portgroups = services.portgroups
        self._nodes = services.nodes
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        since, below = table.SINCE, table.BELOW_SINCE
        detail = table.LIST_DETAIL
        return [
            Route(
                "GET",
                "/portgroups",
                self.list,
                rule="baremetal:portgroup:list",
                since=since,
                query=table.LIST,
            ),
            Route(
                "POST",
                "/portgroups",
                self.create,
                rule="baremetal:portgroup:create",
                since=since,
                body=PORTGROUP.creation,
            ),
            Route(
                "GET",
                "/portgroups/detail",
                self.list_detail,
                rule="baremetal:portgroup:list",
                since=since,
                query=detail,
            ),
            Route("GET", _ONE, self.get, rule="baremetal:portgroup:get", since=since, query=table.GET),
            Route(
                "PATCH",
                _ONE,
                self.update,
                rule="baremetal:portgroup:update",
                since=since,
                body=PatchOf(PORTGROUP),
            ),
            Route("DELETE", _ONE, self.delete, rule="baremetal:portgroup:delete", since=since),
            Route(
                "GET",
                _BELOW_NODE,
                self.list_of_node,
                rule="baremetal:portgroup:get",
                since=below,
                query=table.LIST,
            ),
            Route(
                "GET",
                f"{_BELOW_NODE}/detail",
                self.list_detail_of_node,
                rule="baremetal:portgroup:get",
                since=below,
                query=detail,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        return await self._list(call, selection(PORTGROUP, call), {})

    async def list_detail(self, call: Call) -> Answer:
        return await self._list(call, "all", {})

    async def list_of_node(self, call: Call) -> Answer:
        return await self._list(call, selection(PORTGROUP, call), await self._of_node(call))

    async def list_detail_of_node(self, call: Call) -> Answer:
        return await self._list(call, "all", await self._of_node(call))

    async def get(self, call: Call) -> Answer:
        shown = show.full(PORTGROUP, call)
        group = await self._portgroups.get(call.caller, show.ident(call, PORTGROUP))
        return show.one(call, shown, shown.row_of(group))

    async def create(self, call: Call) -> Answer:
        shown = show.full(PORTGROUP, call)
        group = await self._portgroups.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(group), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        group = await self._portgroups.update(
            call.caller,
            show.ident(call, PORTGROUP),
            lambda group: patch.apply(lambda name: getattr(group, name)),
            refuse_while_inspecting=call.version.has(Behaviour.INSPECTION_REFUSES_UPDATES),
        )
        shown = view(PORTGROUP, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(group))

    async def delete(self, call: Call) -> Answer:
        await self._portgroups.delete(call.caller, show.ident(call, PORTGROUP))
        return empty()

    # ------------------------------------------------------------------ inside

    async def _list(self, call: Call, chosen: Selection, more: Mapping[str, Any]) -> Answer:
        shown = view(PORTGROUP, call.version.minor, chosen)
        asked = page(PORTGROUP, call, most=self._most)
        filters = PortgroupFilter(**{**await self._filters(call), **more})
        rows = await self._portgroups.list_rows(call.caller, shown.columns, filters, asked)
        return show.many(call, shown, rows, asked)

    async def _filters(self, call: Call) -> dict[str, Any]:
        """The filters in the query, as the store names them. Raises InvalidValue, Forbidden or NotFound."""
        given = call.query
        if "node" in given and "shard" in given:
            raise Forbidden("These filters exclude each other: node, shard.")
        if "conductor_groups" in given and {"node", "address"} & given.keys():
            raise InvalidValue("'conductor_groups' can not be used with node or address.")
        if "address" in given and ("node" in given or "shard" in given):
            raise InvalidValue("'address' can not be used with node or shard.")
        found: dict[str, Any] = {}
        if "address" in given:
            found["address"] = given["address"]
        if "shard" in given:
            found["shards"] = given["shard"]
        if "conductor_groups" in given:
            found["conductor_groups"] = [group.lower() for group in given["conductor_groups"]]
        if "node" in given:
            found["node_uuid"] = (await self._nodes.get(call.caller.asking(SEE), given["node"])).uuid
        return found

    async def _of_node(self, call: Call) -> dict[str, Any]:
        node = await self._nodes.get(call.caller, show.ident(call, NODE))
        return {"node_uuid": node.uuid}
