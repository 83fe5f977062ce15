"""Allocations: list, show, create, change, delete; and the one that holds a node."""

from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import allocation as table
from bessemer.api.v1.table.allocation import ALLOCATION
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.view import view
from bessemer.config.settings import ApiSettings
from bessemer.domain.allocation import AllocationState
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.service.node_access import SEE
from bessemer.service.services import Services
from bessemer.store.allocation import AllocationFilter

_ALL = "/allocations"
_ONE = f"{_ALL}/{{allocation}}"
_BELOW_NODE = "/nodes/{node}/allocation"


class AllocationApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._allocations = services.allocations
        self._nodes = services.nodes
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        since = table.SINCE
        change = PatchOf(ALLOCATION)
        return [
            Route("GET", _ALL, self.list, rule="baremetal:allocation:list", since=since, query=table.LIST),
            Route(
                "POST",
                _ALL,
                self.create,
                rule="baremetal:allocation:create",
                since=since,
                gate=405,
                body=ALLOCATION.creation,
            ),
            Route("GET", _ONE, self.get, rule="baremetal:allocation:get", since=since, query=table.GET),
            Route(
                "PATCH",
                _ONE,
                self.update,
                rule="baremetal:allocation:update",
                since=table.UPDATE_SINCE,
                gate=405,
                body=change,
            ),
            Route("DELETE", _ONE, self.delete, rule="baremetal:allocation:delete", since=since, gate=405),
            Route(
                "GET",
                _BELOW_NODE,
                self.get_of_node,
                rule="baremetal:allocation:get",
                since=since,
                query=table.GET,
            ),
            Route(
                "DELETE", _BELOW_NODE, self.delete_of_node, rule="baremetal:allocation:delete", since=since
            ),
        ]

    async def list(self, call: Call) -> Answer:
        shown = view(ALLOCATION, call.version.minor, selection(ALLOCATION, call))
        asked = page(ALLOCATION, call, most=self._most)
        filters = AllocationFilter(**await self._filters(call))
        rows = await self._allocations.list_rows(call.caller, shown.columns, filters, asked)
        return show.many(call, shown, rows, asked)

    async def get(self, call: Call) -> Answer:
        shown = show.full(ALLOCATION, call)
        allocation = await self._allocations.get(call.caller, show.ident(call, ALLOCATION))
        return show.one(call, shown, shown.row_of(allocation))

    async def create(self, call: Call) -> Answer:
        """The answer says 'allocating', except of a node that was named: that is settled at once."""
        shown = show.full(ALLOCATION, call)
        allocation = await self._allocations.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(allocation), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        ident = show.ident(call, ALLOCATION)
        allocation = await self._allocations.update(call.caller, ident, patch.apply_to)
        shown = view(ALLOCATION, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(allocation))

    async def delete(self, call: Call) -> Answer:
        await self._allocations.delete(call.caller, show.ident(call, ALLOCATION))
        return empty()

    async def get_of_node(self, call: Call) -> Answer:
        shown = show.full(ALLOCATION, call)
        allocation = await self._allocations.get_of_node(call.caller, show.ident(call, NODE))
        return show.one(call, shown, shown.row_of(allocation))

    async def delete_of_node(self, call: Call) -> Answer:
        await self._allocations.delete_of_node(call.caller, show.ident(call, NODE))
        return empty()

    async def _filters(self, call: Call) -> dict[str, Any]:
        """The filters in the query, as the store names them. Raises InvalidValue."""
        found = {
            name: call.query[name] for name in ("resource_class", "state", "owner") if name in call.query
        }
        if "state" in found:
            show.check_word("state", found["state"], list(AllocationState))
        if "node" in call.query:
            try:
                found["node_uuid"] = (await self._nodes.get(call.caller.asking(SEE), call.query["node"])).uuid
            except NotFound as error:
                raise InvalidValue(str(error)) from error
        return found
