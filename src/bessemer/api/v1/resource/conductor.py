"""Conductors: list, show."""

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import conductor as table
from bessemer.api.v1.table.conductor import CONDUCTOR
from bessemer.api.v1.view import Computed, view
from bessemer.config.settings import ApiSettings
from bessemer.service.services import Services


class ConductorApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._conductors = services.conductors
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/conductors",
                self.list,
                rule="baremetal:conductor:get",
                since=table.SINCE,
                query=table.LIST,
            ),
            Route(
                "GET",
                "/conductors/{conductor}",
                self.get,
                rule="baremetal:conductor:get",
                since=table.SINCE,
                query=table.GET,
            ),
        ]

    async def list(self, call: Call) -> Answer:
        shown = view(CONDUCTOR, call.version.minor, selection(CONDUCTOR, call))
        asked = page(CONDUCTOR, call, most=self._most)
        rows = await self._conductors.list_rows(call.caller, shown.columns, asked)
        return show.many(call, shown, rows, asked, await self._computed())

    async def get(self, call: Call) -> Answer:
        shown = show.full(CONDUCTOR, call)
        conductor = await self._conductors.get(call.caller, call.params["conductor"])
        return show.one(call, shown, shown.row_of(conductor), await self._computed())

    async def _computed(self) -> Computed:
        return {"alive": (await self._conductors.list_alive()).__contains__}
