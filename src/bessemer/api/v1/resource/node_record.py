"""Small records below a node: traits, history, inventory."""

from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.page import following, page
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action, history
from bessemer.api.v1.table.history import HISTORY
from bessemer.api.v1.table.node import NODE
from bessemer.api.v1.view import Links, View, view
from bessemer.config.settings import ApiSettings
from bessemer.service.services import Services
from bessemer.store.event import Event

_TRAITS = "/nodes/{node}/traits"
_HISTORY = "/nodes/{node}/history"
#: Longest text of an event in a list.
_MOST_TEXT = 255
#: Sort keys under the names the store has for them.
_STORED = {
    "event": "message",
    "event_type": "kind",
    "target_provision_state": "target_state",
    "duration_seconds": "duration_s",
}


class NodeRecordApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._traits = services.traits
        self._history = services.history
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        since = action.TRAITS_SINCE
        return [
            Route("GET", _TRAITS, self.list_traits, rule="baremetal:node:traits:list", since=since, gate=406),
            Route(
                "PUT",
                _TRAITS,
                self.replace_traits,
                rule="baremetal:node:traits:set",
                since=since,
                gate=405,
                body=action.TRAITS,
            ),
            Route("DELETE", _TRAITS, self.clear_traits, rule="baremetal:node:traits:delete", since=since),
            Route(
                "PUT",
                f"{_TRAITS}/{{trait}}",
                self.add_trait,
                rule="baremetal:node:traits:set",
                since=since,
                gate=405,
                body=action.NOTHING,
            ),
            Route(
                "DELETE",
                f"{_TRAITS}/{{trait}}",
                self.remove_trait,
                rule="baremetal:node:traits:delete",
                since=since,
            ),
            Route(
                "GET",
                _HISTORY,
                self.list_history,
                rule="baremetal:node:history:get",
                since=history.SINCE,
                query=history.LIST,
            ),
            Route(
                "GET",
                f"{_HISTORY}/{{event}}",
                self.get_event,
                rule="baremetal:node:history:get",
                since=history.SINCE,
            ),
            Route(
                "GET",
                "/nodes/{node}/inventory",
                self.get_inventory,
                rule="baremetal:node:inventory:get",
                since=action.INVENTORY_SINCE,
            ),
        ]

    # ------------------------------------------------------------------ traits

    async def list_traits(self, call: Call) -> Answer:
        return ok({"traits": await self._traits.list(call.caller, show.ident(call, NODE))})

    async def replace_traits(self, call: Call) -> Answer:
        await self._traits.replace(call.caller, show.ident(call, NODE), call.body["traits"])
        return empty()

    async def clear_traits(self, call: Call) -> Answer:
        await self._traits.replace(call.caller, show.ident(call, NODE), ())
        return empty()

    async def add_trait(self, call: Call) -> Answer:
        await self._traits.add(call.caller, show.ident(call, NODE), call.params["trait"])
        address = f"{call.base}/v1/nodes/{call.params['node']}/traits/{call.params['trait']}"
        return empty(location=address)

    async def remove_trait(self, call: Call) -> Answer:
        await self._traits.remove(call.caller, show.ident(call, NODE), call.params["trait"])
        return empty()

    # ------------------------------------------------------------------ history, inventory

    async def list_history(self, call: Call) -> Answer:
        shown = view(HISTORY, call.version.minor, "all" if call.query.get("detail") else "listed")
        asked = page(HISTORY, call, most=self._most, sort_key="created_at", stored=_STORED)
        events = await self._history.list(call.caller, show.ident(call, NODE), asked)
        links = _links(call)
        items = [shown.render(_row(shown, event, most=_MOST_TEXT), links) for event in events]
        return ok({"history": items, **following(call, asked, [event.uuid for event in events])})

    async def get_event(self, call: Call) -> Answer:
        shown = view(HISTORY, call.version.minor, "all")
        event = await self._history.get(call.caller, show.ident(call, NODE), call.params["event"])
        return ok(shown.render(_row(shown, event), _links(call)))

    async def get_inventory(self, call: Call) -> Answer:
        found = await self._history.get_inventory(call.caller, show.ident(call, NODE))
        return ok({"inventory": found.inventory, "plugin_data": found.plugin_data})


def _links(call: Call) -> Links:
    return Links(call.base, HISTORY.path.format(node=call.params["node"]), has_bookmark=False)


def _row(shown: View, event: Event, *, most: int | None = None) -> Any:
    text = event.message
    if most is not None and len(text) > most:
        text = text[: most - 4] + "..."
    return shown.row_from(
        {
            "uuid": event.uuid,
            "created_at": event.created_at,
            "severity": event.severity,
            "event": text,
            "event_type": event.kind,
            "user": event.user,
            "conductor": event.conductor,
            "project": event.project,
            "state": event.state,
            "target_provision_state": event.target_state,
            "duration_seconds": None if event.duration_s is None else round(event.duration_s),
        }
    )
