"""Deploy templates: list, show, create, change, delete."""

from bessemer.api.v1 import show
from bessemer.api.v1.call import Answer, Call, empty
from bessemer.api.v1.page import page, selection
from bessemer.api.v1.patch import Patch
from bessemer.api.v1.record_route import record_routes
from bessemer.api.v1.route import Route
from bessemer.api.v1.table import deploy_template as table
from bessemer.api.v1.table.deploy_template import DEPLOY_TEMPLATE
from bessemer.api.v1.view import view
from bessemer.config.settings import ApiSettings
from bessemer.service.services import Services


class DeployTemplateApi:
    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._templates = services.deploy_templates
        self._most = settings.max_limit

    def routes(self) -> list[Route]:
        return record_routes(
            self,
            DEPLOY_TEMPLATE,
            "/deploy_templates",
            rule="baremetal:deploy_template",
            since=table.SINCE,
            list_query=table.LIST,
            get_query=table.GET,
        )

    async def list(self, call: Call) -> Answer:
        shown = view(DEPLOY_TEMPLATE, call.version.minor, selection(DEPLOY_TEMPLATE, call))
        asked = page(DEPLOY_TEMPLATE, call, most=self._most)
        rows = await self._templates.list_rows(call.caller, shown.columns, asked)
        return show.many(call, shown, rows, asked)

    async def get(self, call: Call) -> Answer:
        shown = show.full(DEPLOY_TEMPLATE, call)
        template = await self._templates.get(call.caller, show.ident(call, DEPLOY_TEMPLATE))
        return show.one(call, shown, shown.row_of(template))

    async def create(self, call: Call) -> Answer:
        shown = show.full(DEPLOY_TEMPLATE, call)
        template = await self._templates.create(call.caller, call.body)
        return show.one(call, shown, shown.row_of(template), status=201)

    async def update(self, call: Call) -> Answer:
        patch: Patch = call.body
        ident = show.ident(call, DEPLOY_TEMPLATE)
        template = await self._templates.update(call.caller, ident, patch.apply_to)
        shown = view(DEPLOY_TEMPLATE, call.version.minor, "all")
        return show.one(call, shown, shown.row_of(template))

    async def delete(self, call: Call) -> Answer:
        await self._templates.delete(call.caller, show.ident(call, DEPLOY_TEMPLATE))
        return empty()
