"""Deploy templates: create, look up, match, change, list."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.deploy_template import DeployTemplate
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import is_uuid
from bessemer.store.database import AnyRow, Transaction
from bessemer.store.failure import conflict
from bessemer.store.listing import list_rows
from bessemer.store.page import Page
from bessemer.store.record import decode_json
from bessemer.store.sealed import SealedMapper
from bessemer.store.table import DEPLOY_TEMPLATES

TEMPLATE = SealedMapper(
    DeployTemplate,
    DEPLOY_TEMPLATES,
    json_fields=("steps", "extra"),
    secrets={"steps": frozenset()},
    decoders={"steps": lambda text: tuple(decode_json(text))},
)
_COLUMNS = DEPLOY_TEMPLATES.c
_BY_UUID = TEMPLATE.select().where(_COLUMNS.uuid == bindparam("key"))
_BY_UUID_LOCKED = _BY_UUID.with_for_update()
_BY_NAME = TEMPLATE.select().where(_COLUMNS.name == bindparam("key"))
_UPDATE = update(DEPLOY_TEMPLATES).where(_COLUMNS.uuid == bindparam("key")).returning(*TEMPLATE.columns)


async def create_deploy_template(tx: Transaction, template: DeployTemplate) -> DeployTemplate:
    """Store a new deploy template. Raises Duplicate when its uuid or name is taken."""
    tx.note_change("deploy_template", template.uuid)
    row = TEMPLATE.to_row(tx, template)
    try:
        await tx.execute(insert(DEPLOY_TEMPLATES), row)
    except IntegrityError as error:
        raise conflict(error, DEPLOY_TEMPLATES, "deploy template", row) from error
    return template


async def get_deploy_template(tx: Transaction, uuid: str, *, lock: bool = False) -> DeployTemplate:
    """``lock`` keeps others from changing it until this transaction ends. Raises NotFound."""
    template = await _find(tx, _BY_UUID_LOCKED if lock else _BY_UUID, uuid)
    if template is None:
        raise NotFound(f"Deploy template '{uuid}' could not be found.")
    return template


async def find_deploy_template(tx: Transaction, ident: str) -> DeployTemplate | None:
    """The deploy template with this UUID, or else with this name."""
    template = await _find(tx, _BY_UUID, ident.lower()) if is_uuid(ident) else None
    return template or await _find(tx, _BY_NAME, ident)


async def update_deploy_template(tx: Transaction, uuid: str, **changes: Any) -> DeployTemplate:
    """Change fields (named as in ``DeployTemplate``) and ``updated_at``; the template as it is then.

    Raises:
        NotFound: There is no such deploy template.
        Duplicate: The name is taken.
    """
    tx.note_change("deploy_template", uuid)
    values = TEMPLATE.encode(tx, uuid, {"updated_at": tx.now(), **changes})
    try:
        row = (await tx.execute(_UPDATE, {"key": uuid, **values})).first()
    except IntegrityError as error:
        raise conflict(error, DEPLOY_TEMPLATES, "deploy template", changes) from error
    if row is None:
        raise NotFound(f"Deploy template '{uuid}' could not be found.")
    return TEMPLATE.to_record(tx, row)


async def delete_deploy_template(tx: Transaction, uuid: str) -> None:
    """Raises NotFound when there is no such deploy template."""
    tx.note_change("deploy_template", uuid)
    done = await tx.execute(delete(DEPLOY_TEMPLATES).where(_COLUMNS.uuid == uuid))
    if done.rowcount == 0:
        raise NotFound(f"Deploy template '{uuid}' could not be found.")


async def list_deploy_templates_for(tx: Transaction, traits: Collection[str]) -> list[DeployTemplate]:
    """The deploy templates whose name is one of ``traits``, in order of name."""
    statement = TEMPLATE.select().where(_COLUMNS.name.in_(sorted(traits))).order_by(_COLUMNS.name)
    return [TEMPLATE.to_record(tx, row) for row in await tx.execute(statement)]


async def list_deploy_template_rows(tx: Transaction, fields: Sequence[str], page: Page) -> list[AnyRow]:
    """``fields`` of deploy templates as they lie in the database: JSON documents are text.

    Raises:
        InvalidValue: A field or sort key that deploy templates do not have.
        NotFound: The marker does not exist.
    """
    return await list_rows(tx, DEPLOY_TEMPLATES, "Deploy templates", fields, page)


async def _find(tx: Transaction, statement: Any, key: str) -> DeployTemplate | None:
    row = (await tx.execute(statement, {"key": key})).first()
    return None if row is None else TEMPLATE.to_record(tx, row)
