"""Events: what happened. One table is the outbox for notifications and the history of each node."""

from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, insert, select, update

from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Transaction
from bessemer.store.page import Page, read_page
from bessemer.store.record import Mapper
from bessemer.store.statement import Statement
from bessemer.store.table import EVENTS

Severity = Literal["INFO", "ERROR"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    ``kind`` names it for programs, ``message`` tells it to people. ``state`` and ``target_state`` are the
    node's provision states then; ``duration_s`` is how long the thing that ended here took.
    """

    uuid: str
    created_at: Timestamp
    node_uuid: str | None
    kind: str
    severity: str
    message: str
    conductor: str
    user: str | None
    project: str | None
    state: str | None
    target_state: str | None
    duration_s: float | None
    payload: dict[str, Any]


_EVENT = Mapper(Event, EVENTS, json_fields=("payload",))
_INSERT = Statement(insert(EVENTS))
_BY_UUID = Statement(_EVENT.select().where(EVENTS.c.uuid == bindparam("key")))


async def add_event(
    tx: Transaction,
    *,
    node_uuid: str | None,
    kind: str,
    severity: Severity = "INFO",
    message: str = "",
    conductor: str = "",
    user: str | None = None,
    project: str | None = None,
    state: str | None = None,
    target_state: str | None = None,
    duration_s: float | None = None,
    payload: dict[str, Any] | None = None,
    in_history: bool = True,
) -> Event:
    """Record that something happened; it becomes known when the transaction does. What is about a node is in
    its history too, unless ``in_history`` is false."""
    event = Event(
        uuid=new_uuid(),
        created_at=tx.now(),
        node_uuid=node_uuid,
        kind=kind,
        severity=severity,
        message=message,
        conductor=conductor,
        user=user,
        project=project,
        state=state,
        target_state=target_state,
        duration_s=duration_s,
        payload=payload or {},
    )
    await tx.execute(_INSERT, {**_EVENT.to_row(event), "in_history": in_history and node_uuid is not None})
    return event


async def list_events(tx: Transaction, node_uuid: str, page: Page) -> list[Event]:
    """The history of a node.

    Raises:
        InvalidValue: A sort key that events do not have.
        NotFound: The marker does not exist.
    """
    statement = _EVENT.select().where(EVENTS.c.node_uuid == node_uuid, EVENTS.c.in_history)
    return [_EVENT.to_record(row) for row in await read_page(tx, statement, EVENTS, page)]


async def get_event(tx: Transaction, uuid: str) -> Event:
    """Raises NotFound when there is no such event."""
    row = (await tx.execute(_BY_UUID, {"key": uuid})).first()
    if row is None:
        raise NotFound(f"Event '{uuid}' could not be found.")
    return _EVENT.to_record(row)


async def trim_history(tx: Transaction, node_uuid: str, keep: int, *, before: Timestamp | None = None) -> int:
    """Take all but the newest ``keep`` events out of the node's history, but none younger than ``before``;
    how many those were."""
    mine = (EVENTS.c.node_uuid == node_uuid, EVENTS.c.in_history)
    oldest_kept = (
        select(EVENTS.c.id).where(*mine).order_by(EVENTS.c.id.desc()).limit(1).offset(keep).scalar_subquery()
    )
    statement = update(EVENTS).where(*mine, EVENTS.c.id <= oldest_kept)
    if before is not None:
        statement = statement.where(EVENTS.c.created_at < before)
    return (await tx.execute(statement.values(in_history=False))).rowcount
