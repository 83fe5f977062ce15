"""Inspection rules: create, look up, change, list."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.inspection.rule import InspectionRule
from bessemer.kernel.error import NotFound
from bessemer.kernel.secret import SecretNames
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows
from bessemer.store.page import Page
from bessemer.store.record import decode_json
from bessemer.store.sealed import SealedMapper
from bessemer.store.table import INSPECTION_RULES

_CALLS = ("conditions", "actions")
RULE = SealedMapper(
    InspectionRule,
    INSPECTION_RULES,
    json_fields=_CALLS,
    secrets=dict.fromkeys(_CALLS, frozenset[str]()),
    decoders=dict.fromkeys(_CALLS, lambda text: tuple(decode_json(text))),
)
#: Whatever a sensitive rule is given is sealed.
_SENSITIVE = SecretNames(frozenset({"args", "loop"}))
_COLUMNS = INSPECTION_RULES.c
_BY_UUID = RULE.select().where(_COLUMNS.uuid == bindparam("key"))
_BY_UUID_LOCKED = _BY_UUID.with_for_update()
_OF_PHASE = RULE.select().where(_COLUMNS.phase == bindparam("key")).order_by(_COLUMNS.id)
_UPDATE = update(INSPECTION_RULES).where(_COLUMNS.uuid == bindparam("key")).returning(*RULE.columns)


async def create_inspection_rule(tx: Transaction, rule: InspectionRule) -> InspectionRule:
    """Store a new inspection rule. Raises Duplicate when its uuid is taken."""
    tx.note_change("inspection_rule", rule.uuid)
    row = _encoded(tx, rule.uuid, {field: getattr(rule, field) for field in RULE.fields})
    try:
        await tx.execute(insert(INSPECTION_RULES), row)
    except IntegrityError as error:
        raise conflict(error, INSPECTION_RULES, "inspection rule", row) from error
    return rule


async def get_inspection_rule(tx: Transaction, uuid: str, *, lock: bool = False) -> InspectionRule:
    """The rule. ``lock`` keeps others from changing it until this transaction ends. Raises NotFound."""
    row = (await tx.execute(_BY_UUID_LOCKED if lock else _BY_UUID, {"key": uuid.lower()})).first()
    if row is None:
        raise NotFound(f"Inspection rule '{uuid}' could not be found.")
    return RULE.to_record(tx, row)


async def update_inspection_rule(tx: Transaction, uuid: str, **changes: Any) -> InspectionRule:
    """Change fields (named as in ``InspectionRule``) and ``updated_at``; the rule as it is then.

    Raises:
        NotFound: There is no such inspection rule.
    """
    tx.note_change("inspection_rule", uuid)
    if changes.get("sensitive") is not None:
        # What becomes sensitive, or no longer is, is sealed in another way.
        present = await get_inspection_rule(tx, uuid)
        changes = {**{name: getattr(present, name) for name in _CALLS}, **changes}
    elif not changes.keys().isdisjoint(_CALLS):
        changes = {**changes, "sensitive": (await get_inspection_rule(tx, uuid)).sensitive}
    values = _encoded(tx, uuid, {"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, INSPECTION_RULES, "inspection rule", changes) from error
    if row is None:
        raise NotFound(f"Inspection rule '{uuid}' could not be found.")
    return RULE.to_record(tx, row)


def _encoded(tx: Transaction, uuid: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return RULE.encode(tx, uuid, values, names=_SENSITIVE if values.get("sensitive") else None)


async def delete_inspection_rule(tx: Transaction, uuid: str) -> None:
    """Raises NotFound when there is no such inspection rule."""
    tx.note_change("inspection_rule", uuid)
    done = await tx.execute(delete(INSPECTION_RULES).where(_COLUMNS.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Inspection rule '{uuid}' could not be found.")


async def delete_inspection_rules(tx: Transaction) -> int:
    """Delete all inspection rules; how many those were. Idempotent."""
    return (await tx.execute(delete(INSPECTION_RULES))).rowcount


async def list_inspection_rules(tx: Transaction, phase: str = "main") -> list[InspectionRule]:
    """All inspection rules of a phase, oldest first; ``domain.inspection.rule.in_order`` orders them."""
    return [RULE.to_record(tx, row) for row in await tx.execute(_OF_PHASE, {"key": phase})]


async def list_inspection_rule_rows(
    tx: Transaction, fields: Sequence[str], page: Page, *, phase: str | None = None
) -> list[AnyRow]:
    """``fields`` of inspection rules as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that inspection rules do not have.
        NotFound: The marker does not exist.
    """
    conditions = () if phase is None else (_COLUMNS.phase == phase,)
    return await list_rows(tx, INSPECTION_RULES, "Inspection rules", fields, page, *conditions)
