"""Inspection rules: list, show, create, change, delete one or all."""

from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.mask import Masker
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.record_route import record_routes
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import inspection_rule as table
from bessemer.api.v1.table.inspection_rule import INSPECTION_RULE
from bessemer.api.v1.view import Computed, view
from bessemer.config.settings import ApiSettings
from bessemer.service.services import Services

_ALL = "/inspection_rules"

_masked = Masker()


def _shown(calls: Any, is_sensitive: bool) -> Any:
    """Conditions or actions, as the database has them or as a record does. Of a sensitive rule nothing."""
    return None if is_sensitive else _masked(calls)


_COMPUTED: Computed = {"conditions": _shown, "actions": _shown}


class InspectionRuleApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._rules = services.inspection_rules
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        rule = "baremetal:inspection_rule"
        records = record_routes(
            self,
            INSPECTION_RULE,
            _ALL,
            rule=rule,
            since=table.SINCE,
            list_query=table.LIST,
            get_query=table.GET,
        )
        every = Route("DELETE", _ALL, self.delete_all, rule=f"{rule}:delete", since=table.SINCE, gate=405)
        return [*records, every]

    async def list(self, call: Call) -> Answer:
        shown = view(INSPECTION_RULE, call.version.minor, selection(INSPECTION_RULE, call))
        asked = page(INSPECTION_RULE, call, most=self._most)
        rows = await self._rules.list_rows(call.caller, shown.columns, asked, phase=call.query.get("phase"))
        return show.many(call, shown, rows, asked, _COMPUTED)

    async def get(self, call: Call) -> Answer:
        shown = show.full(INSPECTION_RULE, call)
        rule = await self._rules.get(call.caller, show.uuid(call, INSPECTION_RULE))
        return show.one(call, shown, shown.row_of(rule), _COMPUTED)

    async def create(self, call: Call) -> Answer:
        shown = show.full(INSPECTION_RULE, call)
        rule = await self._rules.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(rule), _COMPUTED, status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        uuid = show.uuid(call, INSPECTION_RULE)
        rule = await self._rules.update(call.caller, uuid, patch.apply_to)
        shown = view(INSPECTION_RULE, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(rule), _COMPUTED)

    async def delete(self, call: Call) -> Answer:
        await self._rules.delete(call.caller, show.uuid(call, INSPECTION_RULE))
        return empty()

    async def delete_all(self, call: Call) -> Answer:
        await self._rules.delete_all(call.caller)
        return empty()
