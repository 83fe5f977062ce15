"""Indicators of a node: the lights by which people find a machine. Each is called ``<name>@<component>``."""

from typing import Any
from urllib.parse import quote

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty, ok
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table.node import NODE
from bessemer.kernel.error import InvalidValue
from bessemer.service.management import Indicator
from bessemer.service.services import Services

_PATH = "/nodes/{node}/management/indicators"
_LOOK = "baremetal:node:get_indicator_state"


class NodeIndicatorApi:
    def __init__(self, services: Services) -> None:
        self._management = services.management

    def routes(self) -> list[Route]:
        return [
            Route("GET", _PATH, self.list, rule=_LOOK),
            Route("GET", f"{_PATH}/{{indicator}}", self.get, rule=_LOOK),
            Route(
                "PUT",
                f"{_PATH}/{{indicator}}",
                self.set,
                rule="baremetal:node:set_indicator_state",
                body=action.INDICATOR,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        found = await self._management.list_indicators(call.caller, show.ident(call, NODE))
        return ok({"indicators": [_shown(call, indicator) for indicator in found]})

    async def get(self, call: Call) -> Answer:
        component, name = _parts(call)
        state = await self._management.get_indicator(call.caller, show.ident(call, NODE), component, name)
        return ok({"state": state})

    async def set(self, call: Call) -> Answer:
        component, name = _parts(call)
        state = call.body["state"]
        await self._management.set_indicator(call.caller, show.ident(call, NODE), component, name, state)
        return empty()


def _shown(call: Call, indicator: Indicator) -> dict[str, Any]:
    name = f"{indicator.name}@{indicator.component}"
    below = f"nodes/{call.params['node']}/management/indicators/{quote(name, safe='@')}"
    return {
        "name": name,
        "component": indicator.component,
        "readonly": indicator.is_readonly,
        "states": list(indicator.states),
        "links": [
            {"href": f"{call.base}/v1/{below}", "rel": "self"},
            {"href": f"{call.base}/{below}", "rel": "bookmark"},
        ],
    }


def _parts(call: Call) -> tuple[str, str]:
    """Component and name. Raises InvalidValue."""
    name, at, component = call.params["indicator"].partition("@")
    if not (name and at and component):
        raise InvalidValue("An indicator is called <name>@<component>.")
    return component, name
