"""Chassis: list, show, create, change, delete."""

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.route import PatchOf, Route
from bessemer.api.v1.table import chassis as table
from bessemer.api.v1.table.chassis import CHASSIS
from bessemer.api.v1.view import Selection, view
from bessemer.config.settings import ApiSettings
from bessemer.service.services import Services


class ChassisApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._chassis = services.chassis
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/chassis", self.list, rule="baremetal:chassis:get", query=table.LIST),
            Route("POST", "/chassis", self.create, rule="baremetal:chassis:create", body=CHASSIS.creation),
            Route(
                "GET",
                "/chassis/detail",
                self.list_detail,
                rule="baremetal:chassis:get",
                query=table.LIST_DETAIL,
            ),
            Route("GET", "/chassis/{chassis}", self.get, rule="baremetal:chassis:get", query=table.GET),
            Route(
                "PATCH",
                "/chassis/{chassis}",
                self.update,
                rule="baremetal:chassis:update",
                body=PatchOf(CHASSIS),
            ),
            Route("DELETE", "/chassis/{chassis}", self.delete, rule="baremetal:chassis:delete"),
        ]

    async def list(self, call: Call) -> Answer:
        return await self._list(call, selection(CHASSIS, call))

    async def list_detail(self, call: Call) -> Answer:
        return await self._list(call, "all")

    async def get(self, call: Call) -> Answer:
        shown = show.full(CHASSIS, call)
        chassis = await self._chassis.get(call.caller, show.uuid(call, CHASSIS))
        return show.one(call, shown, shown.row_of(chassis))

    async def create(self, call: Call) -> Answer:
        shown = show.full(CHASSIS, call)
        chassis = await self._chassis.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(chassis), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        chassis = await self._chassis.update(
            call.caller,
            show.uuid(call, CHASSIS),
            lambda chassis: patch.apply(lambda name: getattr(chassis, name)),
        )
        shown = view(CHASSIS, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(chassis))

    async def delete(self, call: Call) -> Answer:
        await self._chassis.delete(call.caller, show.uuid(call, CHASSIS))
        return empty()

    async def _list(self, call: Call, chosen: Selection) -> Answer:
        shown = view(CHASSIS, call.version.minor, chosen)
        asked = page(CHASSIS, call, most=self._most)
        return show.many(call, shown, await self._chassis.list_rows(call.caller, shown.columns, asked), asked)
