"""Inspection rules as records: make, look at, change, delete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bessemer.domain.inspection.rule import (
    PHASES,
    InspectionRule,
    check_actions,
    check_conditions,
    check_update,
)
from bessemer.kernel.error import InvalidValue
from bessemer.kernel.ident import new_uuid
from bessemer.service.caller import Caller
from bessemer.store.database import AnyRow, Database
from bessemer.store.inspection_rule import (
    create_inspection_rule,
    delete_inspection_rule,
    delete_inspection_rules,
    get_inspection_rule,
    list_inspection_rule_rows,
    update_inspection_rule,
)
from bessemer.store.page import Page

Edit = Callable[[InspectionRule], Mapping[str, Any]]


class InspectionRuleService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, caller: Caller, uuid: str) -> InspectionRule:
        """Raises NotFound."""
        caller.check()
        async with self._database.read() as tx:
            return await get_inspection_rule(tx, uuid)

    async def list_rows(
        self, caller: Caller, columns: Sequence[str], page: Page, *, phase: str | None = None
    ) -> list[AnyRow]:
        """Columns as the database has them, also of sensitive rules: what to show is the caller's duty.

        Raises:
            NotFound: The marker does not exist.
            InvalidValue: There is no such phase.
        """
        caller.check()
        if phase is not None:
            _check_phase(phase)
        async with self._database.read() as tx:
            return await list_inspection_rule_rows(tx, columns, page, phase=phase)

    async def create(self, caller: Caller, values: Mapping[str, Any]) -> InspectionRule:
        """Make a rule; the next inspection knows it.

        Raises:
            InvalidValue: Conditions or actions that are not well formed, or a phase that is none.
            Duplicate: The uuid is taken.
        """
        caller.check()
        found = _checked(values)
        uuid = found.pop("uuid", None) or new_uuid()
        async with self._database.write() as tx:
            return await create_inspection_rule(tx, InspectionRule(uuid=uuid, created_at=tx.now(), **found))

    async def update(self, caller: Caller, uuid: str, edit: Edit) -> InspectionRule:
        """``edit`` works out new values from the present ones.

        Raises:
            NotFound: No such rule.
            InvalidValue: As for ``create``; or a sensitive rule is to be shown again.
        """
        caller.check()
        async with self._database.write() as tx:
            rule = await get_inspection_rule(tx, uuid, lock=True)
            changes = _checked(edit(rule))
            check_update(rule, sensitive=changes.get("sensitive", rule.sensitive))
            return await update_inspection_rule(tx, rule.uuid, **changes)

    async def delete(self, caller: Caller, uuid: str) -> None:
        """Raises NotFound."""
        caller.check()
        async with self._database.write() as tx:
            await delete_inspection_rule(tx, uuid)

    async def delete_all(self, caller: Caller) -> int:
        """All that were made through the API; how many those were. Idempotent."""
        caller.check()
        async with self._database.write() as tx:
            return await delete_inspection_rules(tx)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "phase" in found:
        _check_phase(found["phase"])
    if "conditions" in found:
        check_conditions(found["conditions"])
        found["conditions"] = tuple(found["conditions"])
    if "actions" in found:
        check_actions(found["actions"])
        found["actions"] = tuple(found["actions"])
    return found


def _check_phase(phase: str) -> None:
    if phase not in PHASES:
        raise InvalidValue(f"'phase' must be one of: {', '.join(PHASES)}.")
