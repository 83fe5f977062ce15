"""Runbooks: list, show, create, change, delete; and their traits."""

from collections.abc import Sequence

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.record_route import record_routes
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table import runbook as table
from bessemer.api.v1.table.runbook import RUNBOOK
from bessemer.api.v1.version import Behaviour
from bessemer.api.v1.view import Computed, View, view
from bessemer.config.settings import ApiSettings
from bessemer.domain.runbook import Runbook
from bessemer.service.runbook import change_rules
from bessemer.service.services import Services

_TRAITS = "/runbooks/{runbook}/traits"


class RunbookApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._runbooks = services.runbooks
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        traits_since = table.TRAITS_SINCE
        records = record_routes(
            self,
            RUNBOOK,
            "/runbooks",
            rule="baremetal:runbook",
            list_rule="list",
            since=table.SINCE,
            list_query=table.LIST,
            get_query=table.GET,
        )
        return [
            *records,
            Route("GET", _TRAITS, self.list_traits, rule="baremetal:runbook:get", since=traits_since),
            Route(
                "PUT",
                _TRAITS,
                self.replace_traits,
                rule="baremetal:runbook:update",
                since=traits_since,
                body=action.TRAITS,
            ),
            Route("DELETE", _TRAITS, self.clear_traits, rule="baremetal:runbook:update", since=traits_since),
            Route(
                "PUT",
                f"{_TRAITS}/{{trait}}",
                self.add_trait,
                rule="baremetal:runbook:update",
                since=traits_since,
                body=action.NOTHING,
            ),
            Route(
                "DELETE",
                f"{_TRAITS}/{{trait}}",
                self.remove_trait,
                rule="baremetal:runbook:update",
                since=traits_since,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        shown = view(RUNBOOK, call.version.minor, selection(RUNBOOK, call))
        asked = page(RUNBOOK, call, most=self._most)
        rows = await self._runbooks.list_rows(
            call.caller, shown.columns, asked, owner=call.query.get("project")
        )
        return show.many(
            call, shown, rows, asked, await self._computed(call, shown, [row[0] for row in rows])
        )

    async def get(self, call: Call) -> Answer:
        shown = show.full(RUNBOOK, call)
        return await self._one(call, shown, await self._runbooks.get(call.caller, show.ident(call, RUNBOOK)))

    async def create(self, call: Call) -> Answer:
        shown = show.full(RUNBOOK, call)
        runbook = await self._runbooks.create(call.caller, call.body, is_name_free=_is_name_free(call))
        return await self._one(call, shown, runbook, status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        runbook = await self._runbooks.update(
            call.caller.asking(*change_rules(patch.roots)),
            show.ident(call, RUNBOOK),
            patch.apply_to,
            is_name_free=_is_name_free(call),
        )
        return await self._one(call, view(RUNBOOK, call.version.minor, "all"), runbook)

    async def delete(self, call: Call) -> Answer:
        await self._runbooks.delete(call.caller, show.ident(call, RUNBOOK))
        return empty()

    # ------------------------------------------------------------------ traits

    async def list_traits(self, call: Call) -> Answer:
        return ok({"traits": await self._runbooks.list_traits(call.caller, show.ident(call, RUNBOOK))})

    async def replace_traits(self, call: Call) -> Answer:
        await self._runbooks.replace_traits(call.caller, show.ident(call, RUNBOOK), call.body["traits"])
        return empty()

    async def clear_traits(self, call: Call) -> Answer:
        await self._runbooks.replace_traits(call.caller, show.ident(call, RUNBOOK), ())
        return empty()

    async def add_trait(self, call: Call) -> Answer:
        await self._runbooks.add_trait(call.caller, show.ident(call, RUNBOOK), call.params["trait"])
        address = f"{call.base}/v1/runbooks/{call.params['runbook']}/traits/{call.params['trait']}"
        return empty(location=address)

    async def remove_trait(self, call: Call) -> Answer:
        await self._runbooks.remove_trait(call.caller, show.ident(call, RUNBOOK), call.params["trait"])
        return empty()

    # ------------------------------------------------------------------ inside

    async def _one(self, call: Call, shown: View, runbook: Runbook, *, status: int = 200) -> Answer:
        computed = await self._computed(call, shown, [runbook.uuid])
        return show.one(call, shown, shown.row_of(runbook), computed, status=status)

    async def _computed(self, call: Call, shown: View, uuids: Sequence[str]) -> Computed:
        if "traits" not in shown.computed:
            return {}
        return {"traits": (await self._runbooks.list_traits_of(call.caller, uuids)).get}


def _is_name_free(call: Call) -> bool:
    return call.version.has(Behaviour.RUNBOOK_NAMES_ARE_FREE)
