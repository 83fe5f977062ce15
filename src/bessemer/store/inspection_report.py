"""Reports of inspections under way, one per node: from their arrival until the inspection is over.

A report that was made use of stays, so that neither a repeated step nor a ramdisk that reports twice makes
use of it again.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from bessemer.domain.inspection.report import Report
from bessemer.kernel.error import NotFound
from bessemer.store.database import Transaction
from bessemer.store.record import decode_json, encode_json
from bessemer.store.table import INSPECTION_REPORTS

_COLUMNS = INSPECTION_REPORTS.c
_MINE = _COLUMNS.node_uuid == bindparam("key")
_BY_NODE = select(_COLUMNS.report, _COLUMNS.calls).where(_MINE)
_IS_THERE = select(literal(1)).where(_MINE)


class KeptReport(msgspec.Struct, frozen=True, kw_only=True):
    """``calls``: None until use was made of the report, then the calls that rules still ask for."""

    report: Report
    calls: list[dict[str, Any]] | None = None


async def add_report(tx: Transaction, node_uuid: str, report: Report) -> bool:
    """Keep the report; False (and nothing changes) when there is one already.

    Raises:
        NotFound: There is no such node.
    """
    if await has_report(tx, node_uuid):
        return False
    row = {"node_uuid": node_uuid, "created_at": tx.now(), "report": encode_json(report)}
    try:
        await tx.execute(insert(INSPECTION_REPORTS), row)
    except IntegrityError as error:
        raise NotFound(f"Node '{node_uuid}' could not be found.") from error
    return True


async def has_report(tx: Transaction, node_uuid: str) -> bool:
    return (await tx.execute(_IS_THERE, {"key": node_uuid})).first() is not None


async def find_report(tx: Transaction, node_uuid: str) -> KeptReport | None:
    row = (await tx.execute(_BY_NODE, {"key": node_uuid})).first()
    if row is None:
        return None
    report = msgspec.json.decode(row[0], type=Report)
    return KeptReport(report=report, calls=None if row[1] is None else decode_json(row[1]))


async def use_report(tx: Transaction, node_uuid: str, calls: list[dict[str, Any]]) -> None:
    """Note that use was made of the report, and which calls are left to be made. Idempotent."""
    values = {"report": "{}", "calls": encode_json(calls)}
    await tx.execute(update(INSPECTION_REPORTS).where(_COLUMNS.node_uuid == node_uuid).values(**values))


async def drop_report(tx: Transaction, node_uuid: str) -> None:
    """Idempotent."""
    await tx.execute(delete(INSPECTION_REPORTS).where(_COLUMNS.node_uuid == node_uuid))
