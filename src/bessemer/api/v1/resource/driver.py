"""Drivers: list, show, what they want to know, their passthru methods."""

from collections.abc import Sequence
from typing import Any

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, ok
from bessemer.api.v1.page import selection
from bessemer.api.v1.resource.node_management import shown_method, vendor_answer, vendor_method
from bessemer.api.v1.route import Anything, Route
from bessemer.api.v1.table import action
from bessemer.api.v1.table import driver as table
from bessemer.api.v1.table.driver import DRIVER
from bessemer.api.v1.view import View, view
from bessemer.domain.interface import InterfaceType
from bessemer.service.conductor import DriverOffer
from bessemer.service.services import Services

#: Types a client may ask for. Drivers of the classic kind went long ago: there are none.
TYPES = ("classic", "dynamic")
_PASSTHRU = ("GET", "PUT", "POST", "PATCH", "DELETE")
_VENDOR = "/drivers/{driver}/vendor_passthru"


class DriverApi:
    def __init__(self, services: Services) -> None:
        self._drivers = services.drivers

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/drivers", self.list, rule="baremetal:driver:get", query=table.LIST),
            Route("GET", "/drivers/{driver}", self.get, rule="baremetal:driver:get", query=table.GET),
            Route(
                "GET",
                "/drivers/{driver}/properties",
                self.get_properties,
                rule="baremetal:driver:get_properties",
            ),
            Route(
                "GET",
                "/drivers/{driver}/raid/logical_disk_properties",
                self.get_raid_properties,
                rule="baremetal:driver:get_raid_logical_disk_properties",
                since=table.RAID_SINCE,
                gate=406,
            ),
            Route(
                "GET", f"{_VENDOR}/methods", self.list_vendor_methods, rule="baremetal:driver:vendor_passthru"
            ),
            *(
                Route(
                    method,
                    path,
                    self.call_vendor,
                    rule="baremetal:driver:vendor_passthru",
                    query=action.VENDOR_METHOD,
                    body=Anything(),
                )
                for method in _PASSTHRU
                for path in (_VENDOR, f"{_VENDOR}/{{method}}")
            ),
        ]

    async def list(self, call: Call) -> Answer:
        shown = view(DRIVER, call.version.minor, selection(DRIVER, call))
        wanted = call.query.get("type")
        if wanted is not None:
            show.check_word("type", wanted, TYPES)
        offered = await self._drivers.list(call.caller)
        offers = [] if wanted == "classic" else offered
        links = call.links(DRIVER)
        return ok({"drivers": [shown.render(_row(shown, offer), links) for offer in offers]})

    async def get(self, call: Call) -> Answer:
        shown = show.full(DRIVER, call)
        offer = await self._drivers.get(call.caller, call.params["driver"])
        return show.one(call, shown, _row(shown, offer))

    async def get_properties(self, call: Call) -> Answer:
        return ok(await self._drivers.get_properties(call.caller, call.params["driver"]))

    async def get_raid_properties(self, call: Call) -> Answer:
        return ok(await self._drivers.get_raid_properties(call.caller, call.params["driver"]))

    async def list_vendor_methods(self, call: Call) -> Answer:
        methods = await self._drivers.list_vendor_methods(call.caller, call.params["driver"])
        return ok({name: shown_method(method) for name, method in methods.items()})

    async def call_vendor(self, call: Call) -> Answer:
        result = await self._drivers.call_vendor_method(
            call.caller, call.params["driver"], vendor_method(call), call.method, call.body
        )
        return vendor_answer(result)


def _row(shown: View, offer: DriverOffer) -> Sequence[Any]:
    values: dict[str, Any] = {"name": offer.name, "hosts": offer.hosts, "type": "dynamic"}
    for kind in InterfaceType:
        values[f"default_{kind}_interface"] = offer.defaults.get(kind)
        values[f"enabled_{kind}_interfaces"] = offer.enabled.get(kind)
    return shown.row_from(values)
