"""Deploy templates as records: make, look at, change, delete."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bessemer.domain.deploy_template import DeployTemplate
from bessemer.domain.step_request import check_template_steps
from bessemer.domain.trait import check_trait
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.caller import Caller
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.deploy_template import (
    create_deploy_template,
    delete_deploy_template,
    find_deploy_template,
    get_deploy_template,
    list_deploy_template_rows,
    update_deploy_template,
)
from bessemer.store.page import Page

Edit = Callable[[DeployTemplate], Mapping[str, Any]]


class DeployTemplateService:
    """``disallowed`` are the steps (``interface.step``) that the operator allows nobody to name."""

    def __init__(self, database: Database, disallowed: Collection[str]) -> None:
        self._database = database
        self._disallowed = disallowed

    async def get(self, caller: Caller, ident: str) -> DeployTemplate:
        """By UUID or name. Raises NotFound."""
        caller.check()
        async with self._database.read() as tx:
            return await _find(tx, ident)

    async def list_rows(self, caller: Caller, columns: Sequence[str], page: Page) -> list[AnyRow]:
        """Columns as the database has them. Raises NotFound when the marker does not exist."""
        caller.check()
        async with self._database.read() as tx:
            return await list_deploy_template_rows(tx, columns, page)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> DeployTemplate:
        """Make a template. A ``description`` is taken and dropped, as clients of v1 know it.

        Raises:
            InvalidValue: A name that is no trait, or steps that are not well formed.
            Duplicate: uuid or name is taken.
        """
        caller.check()
        found = self._checked(values)
        found.pop("description", None)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            template = DeployTemplate(uuid=uuid, created_at=tx.now(), **found)
            return await create_deploy_template(tx, template)

    async def update(self, caller: Caller, ident: str, edit: Edit) -> DeployTemplate:
        """``edit`` works out new values from the present ones. Raises NotFound, and as ``create``."""
        caller.check()
        async with self._database.write() as tx:
            template = await get_deploy_template(tx, (await _find(tx, ident)).uuid, lock=True)
            return await update_deploy_template(tx, template.uuid, **self._checked(edit(template)))

    async def delete(self, caller: Caller, ident: str) -> None:
        """Deployments that have begun keep their steps. Raises NotFound."""
        caller.check()
        async with self._database.write() as tx:
            await delete_deploy_template(tx, (await _find(tx, ident)).uuid)

    # ------------------------------------------------------------------ inside

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(values)
        if "name" in found:
            check_trait(found["name"])
        if "steps" in found:
            found["steps"] = tuple(check_template_steps(found["steps"], disallowed=self._disallowed))
        return found


async def _find(tx: Transaction, ident: str) -> DeployTemplate:
    template = await find_deploy_template(tx, ident)
    if template is None:
        raise NotFound(f"Deploy template {ident} could not be found.")
    return template
