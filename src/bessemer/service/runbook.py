"""Runbooks as records, with their traits: make, look at, change, delete.

Whoever acts for a project makes runbooks for it; public ones are seen by everybody. That a runbook exists is
no secret: what the rules refuse is forbidden, not missing. Source: v1 contract, runbooks; access rules.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bessemer.domain.runbook import Runbook, check_name, check_owner
from bessemer.domain.step_request import check_runbook_steps
from bessemer.domain.trait import check_trait, check_traits
from bessemer.kernel.error import InvalidValue, NotFound
from bessemer.kernel.ident import is_uuid, new_uuid
from bessemer.service.caller import Caller
from bessemer.service.step_access import step_rules
from bessemer.service.target import of_runbook
from bessemer.store.database import AnyRow, Database, Transaction
from bessemer.store.page import Page
from bessemer.store.runbook import (
    RunbookFilter,
    create_runbook,
    delete_runbook,
    find_runbook,
    get_runbook,
    list_runbook_rows,
    update_runbook,
)
from bessemer.store.runbook_trait import (
    add_runbook_trait,
    list_runbook_traits,
    remove_runbook_trait,
    set_runbook_traits,
)

Edit = Callable[[Runbook], Mapping[str, Any]]


#: Fields whose change has a rule of its own.
_CHANGE = {name: f"baremetal:runbook:update:{name}" for name in ("owner", "public")}
_UPDATE = "baremetal:runbook:update"


def change_rules(fields: Collection[str]) -> tuple[str, ...]:
    """The rules that a change of ``fields`` needs together; one that changes nothing needs one too."""
    return tuple(dict.fromkeys(_CHANGE.get(name, _UPDATE) for name in sorted(fields))) or (_UPDATE,)


class RunbookService:
    """``disallowed`` are the steps (``interface.step``) that the operator allows nobody to name."""

    def __init__(self, database: Database, disallowed: Collection[str]) -> None:
        self._database = database
        self._disallowed = disallowed

    async def get(self, caller: Caller, ident: str) -> Runbook:
        """By UUID or name. Raises NotFound, or Forbidden for one that is neither the caller's nor public."""
        async with self._database.read() as tx:
            return await _seen(tx, caller, ident)

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], page: Page, *, owner: str | None = None
    ) -> list[AnyRow]:
        """Columns as the database has them, of what the caller may see.

        Raises:
            NotFound: The marker does not exist.
            Forbidden: Lists are not for the caller, or another project's are asked for.
        """
        project = caller.limit(owner)
        filters = RunbookFilter(visible_to=None if caller.is_trusted else project, owner=owner)
        async with self._database.read() as tx:
            return await list_runbook_rows(tx, columns, filters, await _by_uuid(tx, page))

    async def create(
        self, caller: Caller, values: Mapping[str, Any], *, is_name_free: bool = True
    ) -> Runbook:
        """Make a runbook; a caller's project becomes its owner. ``is_name_free``: the name need be no trait.

        Raises:
            InvalidValue: A name that can be none, steps that are not well formed, public and owned at once;
                for a caller with a project also: public, or owned by another project.
            Forbidden: The caller may not, or not with one of these steps.
            Duplicate: uuid or name is taken.
        """
        caller.also_asking(*step_rules(caller, values.get("steps", ()))).check()
        found = self._checked(values, is_name_free=is_name_free)
        if caller.project is not None:
            if found.get("public"):
                raise InvalidValue("A project can not make a runbook public.")
            if found.get("owner", caller.project) != caller.project:
                raise InvalidValue("A project can not make a runbook for another owner.")
            found["owner"] = caller.project
        check_owner(is_public=found.get("public", False), owner=found.get("owner"))
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            return await create_runbook(tx, Runbook(uuid=uuid, created_at=tx.now(), **found))

    async def update(self, caller: Caller, ident: str, edit: Edit, *, is_name_free: bool = True) -> Runbook:
        """``edit`` works out new values from the present ones. A change of ``public`` takes the owner away,
        unless it names one.

        Raises:
            NotFound: No such runbook.
            Forbidden: The caller may not change it, or not in this way.
            InvalidValue, Duplicate: As for ``create``.
        """
        async with self._database.write() as tx:
            runbook = await _owned(tx, caller, ident)
            wanted = edit(runbook)
            caller.also_asking(*step_rules(caller, wanted.get("steps", ()))).check(of_runbook(runbook))
            changes = self._checked(wanted, is_name_free=is_name_free)
            if "public" in changes:
                changes.setdefault("owner", None)
            check_owner(
                is_public=changes.get("public", runbook.public), owner=changes.get("owner", runbook.owner)
            )
            return await update_runbook(tx, runbook.uuid, **changes)

    async def delete(self, caller: Caller, ident: str) -> None:
        """Work that has begun keeps its steps. Raises NotFound or Forbidden."""
        async with self._database.write() as tx:
            await delete_runbook(tx, (await _owned(tx, caller, ident)).uuid)

    # ------------------------------------------------------------------ traits

    async def list_traits(self, caller: Caller, ident: str) -> Sequence[str]:
        """Raises NotFound or Forbidden."""
        async with self._database.read() as tx:
            runbook = await _seen(tx, caller, ident)
            return (await list_runbook_traits(tx, [runbook.uuid]))[runbook.uuid]

    async def list_traits_of(self, caller: Caller, uuids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """By runbook; for those the caller has been shown."""
        async with self._database.read() as tx:
            return await list_runbook_traits(tx, uuids)

    async def replace_traits(self, caller: Caller, ident: str, traits: Sequence[object]) -> None:
        """Give it these traits and no others. Raises NotFound, Forbidden, or InvalidValue for no trait."""
        names = check_traits(traits)
        async with self._database.write() as tx:
            await set_runbook_traits(tx, (await _owned(tx, caller, ident)).uuid, names)

    async def add_trait(self, caller: Caller, ident: str, trait: str) -> None:
        """Idempotent. Raises as ``replace_traits``."""
        name = check_trait(trait)
        async with self._database.write() as tx:
            await add_runbook_trait(tx, (await _owned(tx, caller, ident)).uuid, name)

    async def remove_trait(self, caller: Caller, ident: str, trait: str) -> None:
        """Idempotent. Raises NotFound (no such runbook) or Forbidden."""
        async with self._database.write() as tx:
            await remove_runbook_trait(tx, (await _owned(tx, caller, ident)).uuid, trait)

    # ------------------------------------------------------------------ inside

    def _checked(self, values: Mapping[str, Any], *, is_name_free: bool) -> dict[str, Any]:
        found = dict(values)
        if "name" in found:
            check_name(found["name"], is_trait_wanted=not is_name_free)
        if "steps" in found:
            found["steps"] = tuple(check_runbook_steps(found["steps"], disallowed=self._disallowed))
        return found


async def _find(tx: Transaction, ident: str) -> Runbook:
    runbook = await find_runbook(tx, ident)
    if runbook is None:
        raise NotFound(f"Runbook {ident} could not be found.")
    return runbook


async def _seen(tx: Transaction, caller: Caller, ident: str) -> Runbook:
    runbook = await _find(tx, ident)
    if not runbook.public:
        caller.check(of_runbook(runbook))
    return runbook


async def _owned(tx: Transaction, caller: Caller, ident: str) -> Runbook:
    """The runbook, kept from other writers until the transaction ends."""
    runbook = await get_runbook(tx, (await _find(tx, ident)).uuid, lock=True)
    caller.check(of_runbook(runbook))
    return runbook


async def _by_uuid(tx: Transaction, page: Page) -> Page:
    """``page`` with a marker that is a runbook's name made its UUID. Raises NotFound."""
    if page.marker is None or is_uuid(page.marker):
        return page
    runbook = await find_runbook(tx, page.marker)
    if runbook is None:
        raise NotFound(f"The marker '{page.marker}' does not exist.")
    return replace(page, marker=runbook.uuid)
