"""Ports: list, show, create, change, delete; and the lists of the ports of a node or port group."""

from collections.abc import Mapping
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import OPEN, PatchOf, Route
from bessemer.api.v1.table import port as table
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.table.port import PORT
from bessemer.api.v1.table.portgroup import BELOW_SINCE, PORTGROUP
from bessemer.api.v1.version import MIN, Behaviour
from bessemer.api.v1.view import Selection, view
from bessemer.config.settings import ApiSettings
from bessemer.kernel.error import Forbidden, InvalidValue
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.store.port import PortFilter

_GET_GROUP = "baremetal:portgroup:get"
_BELOW_NODE = "/nodes/{node}/ports"
_BELOW_GROUP = "/portgroups/{portgroup}/ports"


class PortApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._ports = services.ports
        self._nodes = services.nodes
        self._portgroups = services.portgroups
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/ports", self.list, rule="baremetal:port:list", query=table.LIST),
            Route("POST", "/ports", self.create, rule="baremetal:port:create", body=PORT.creation),
            Route(
                "GET", "/ports/detail", self.list_detail, rule="baremetal:port:list", query=table.LIST_DETAIL
            ),
            Route("GET", "/ports/{port}", self.get, rule="baremetal:port:get", query=table.GET),
            Route("PATCH", "/ports/{port}", self.update, rule="baremetal:port:update", body=PatchOf(PORT)),
            Route("DELETE", "/ports/{port}", self.delete, rule="baremetal:port:delete"),
            Route("GET", _BELOW_NODE, self.list_of_node, rule="baremetal:port:get", query=table.LIST),
            Route(
                "GET",
                f"{_BELOW_NODE}/detail",
                self.list_detail_of_node,
                rule="baremetal:port:get",
                query=table.LIST_DETAIL,
            ),
            *(
                route
                for below, since in ((_BELOW_NODE, MIN), (_BELOW_GROUP, BELOW_SINCE))
                for route in (
                    Route("POST", below, self.only_listed_here, rule=OPEN, since=since),
                    Route("GET", f"{below}/{{port}}", self.only_listed_here, rule=OPEN, since=since),
                    Route("PATCH", f"{below}/{{port}}", self.only_listed_here, rule=OPEN, since=since),
                    Route("DELETE", f"{below}/{{port}}", self.only_listed_here, rule=OPEN, since=since),
                )
            ),
            Route(
                "GET",
                _BELOW_GROUP,
                self.list_of_group,
                rule="baremetal:port:get",
                since=BELOW_SINCE,
                query=table.LIST,
            ),
            Route(
                "GET",
                f"{_BELOW_GROUP}/detail",
                self.list_detail_of_group,
                rule="baremetal:port:get",
                since=BELOW_SINCE,
                query=table.LIST_DETAIL,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        return await self._list(call, selection(PORT, call), {})

    async def list_detail(self, call: Call) -> Answer:
        return await self._list(call, "all", {})

    async def list_of_node(self, call: Call) -> Answer:
        return await self._list(call, selection(PORT, call), await self._of_node(call))

    async def list_detail_of_node(self, call: Call) -> Answer:
        return await self._list(call, "all", await self._of_node(call))

    async def list_of_group(self, call: Call) -> Answer:
        return await self._list(call, selection(PORT, call), await self._of_group(call))

    async def list_detail_of_group(self, call: Call) -> Answer:
        return await self._list(call, "all", await self._of_group(call))

    async def get(self, call: Call) -> Answer:
        shown = show.full(PORT, call)
        port = await self._ports.get(call.caller, show.ident(call, PORT))
        return show.one(call, shown, shown.row_of(port))

    async def create(self, call: Call) -> Answer:
        shown = show.full(PORT, call)
        port = await self._ports.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(port), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        port = await self._ports.update(
            call.caller,
            show.ident(call, PORT),
            # node_ident is another way to write node_uuid, and never read back.
            lambda port: patch.apply(lambda name: getattr(port, name, None)),
            refuse_while_inspecting=call.version.has(Behaviour.INSPECTION_REFUSES_UPDATES),
        )
        shown = view(PORT, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(port))

    async def delete(self, call: Call) -> Answer:
        await self._ports.delete(call.caller, show.uuid(call, PORT))
        return empty()

    async def only_listed_here(self, call: Call) -> Answer:
        raise InvalidValue(
            "Ports are addressed as /v1/ports/<uuid>; below other resources they are only listed."
        )

    # ------------------------------------------------------------------ inside

    async def _list(self, call: Call, chosen: Selection, more: Mapping[str, Any]) -> Answer:
        shown = view(PORT, call.version.minor, chosen)
        asked = page(PORT, call, most=self._most)
        filters = PortFilter(**{**await self._filters(call), **more})
        rows = await self._ports.list_rows(call.caller, shown.columns, filters, asked)
        return show.many(call, shown, rows, asked)

    async def _filters(self, call: Call) -> dict[str, Any]:
        """The filters in the query, as the store names them. Raises InvalidValue, Forbidden or NotFound."""
        given = call.query
        places = [name for name in ("node", "portgroup", "shard") if name in given]
        if len(places) > 1:
            raise Forbidden(f"These filters exclude each other: {', '.join(places)}.")
        if "conductor_groups" in given and {"node", "node_uuid", "portgroup", "address"} & given.keys():
            raise InvalidValue("'conductor_groups' can not be used with node, portgroup or address.")
        found = {name: given[name] for name in ("address", "description_contains") if name in given}
        if "shard" in given:
            found["shards"] = given["shard"]
        if "conductor_groups" in given:
            found["conductor_groups"] = [group.lower() for group in given["conductor_groups"]]
        if "portgroup" in given:
            group = await self._portgroups.get(call.caller.asking(_GET_GROUP), given["portgroup"])
            found["portgroup_uuid"] = group.uuid
        ident = given.get("node") or given.get("node_uuid")
        if ident is not None:
            found["node_uuid"] = (await self._nodes.get(call.caller.asking(SEE), ident)).uuid
        return found

    async def _of_node(self, call: Call) -> dict[str, Any]:
        node = await self._nodes.get(call.caller, show.ident(call, NODE))
        return {"node_uuid": node.uuid}

    async def _of_group(self, call: Call) -> dict[str, Any]:
        group = await self._portgroups.get(call.caller, show.ident(call, PORTGROUP))
        return {"portgroup_uuid": group.uuid, "node_uuid": group.node_uuid}
