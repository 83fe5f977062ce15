"""The audit trail: events come into an inbox, are put into the hash chain in order, and are only read then.

Whoever changes something adds its event in the same transaction; nobody waits for the chain. ``chain_events``
moves events on, one caller at a time. The hash of the newest link, kept somewhere else, vouches for all
before it.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text

from bessemer.domain.audit import GENESIS, AuditEvent, Outcome, canonical, fitted, link_hash, parse
from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.store.database import Database, Transaction
from bessemer.store.statement import Statement
from bessemer.store.table import AUDIT_ANCHORS, AUDIT_EVENTS, AUDIT_INBOX

#: Any number, as long as nothing else of ours takes an advisory lock with it.
_LOCK = 0x6265_7375
_BATCH = 500
#: Events chained by one transaction.
CHAIN_BATCH = 500
#: Links deleted by one transaction: others want to write too, and each leaves an event.
PRUNE_BATCH = 5000

_INSERT = Statement(insert(AUDIT_INBOX))
_LAST = select(AUDIT_EVENTS.c.position, AUDIT_EVENTS.c.hash).order_by(AUDIT_EVENTS.c.position.desc()).limit(1)
_ANCHOR = (
    select(AUDIT_ANCHORS.c.position, AUDIT_ANCHORS.c.hash).order_by(AUDIT_ANCHORS.c.position.desc()).limit(1)
)
_WAITING = select(AUDIT_INBOX).order_by(AUDIT_INBOX.c.id).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain: a link's position and hash; position 0 is before the first one."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Link:
    position: int
    event: AuditEvent
    hash: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events to list: those that fulfil everything given. None asks nothing."""

    user: str | None = None
    project: str | None = None
    resource: str | None = None
    request_id: str | None = None
    outcome: str | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None


async def add_audit_event(tx: Transaction, event: AuditEvent) -> None:
    """Put an event into the inbox; it is true when the transaction is."""
    await tx.execute(_INSERT, {"uuid": event.uuid, "event": canonical(fitted(event))})


async def add_host_event(
    tx: Transaction,
    command: str,
    *,
    user: str | None,
    resource_type: str,
    resource: str = "",
    detail: str = "",
) -> None:
    """Put an event of something done on the host, past the API, into the inbox. ``user`` is one of the
    operating system; None: nobody asked for it."""
    event = AuditEvent(
        uuid=new_uuid(),
        at=tx.now(),
        outcome=Outcome.DONE,
        user=user,
        user_name=user,
        route=command,
        resource_type=resource_type,
        resource=resource,
        detail=detail,
    )
    await add_audit_event(tx, event)


async def chain_events(tx: Transaction, limit: int = CHAIN_BATCH) -> int:
    """Put up to ``limit`` events of the inbox behind the last link; how many those were. Nothing is done
    while somebody else does it.
    """
    if tx.is_postgresql:
        has_lock = (
            await tx.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _LOCK})
        ).scalar()
        if not has_lock:
            return 0
    waiting = (await tx.execute(_WAITING, {"most": limit})).all()
    if not waiting:
        return 0
    head = await get_head(tx)
    rows, position, last = [], head.position, head.hash
    for row in waiting:
        position += 1
        event, words = _to_chain(row.uuid, row.event, tx.now())
        last = link_hash(last, position, words)
        rows.append({**_columns(event), "position": position, "event": words, "hash": last})
    await tx.execute(insert(AUDIT_EVENTS), rows)
    await tx.execute(delete(AUDIT_INBOX).where(AUDIT_INBOX.c.id.in_([row.id for row in waiting])))
    return len(rows)


def _to_chain(uuid: str, words: str, now: Timestamp) -> tuple[AuditEvent, str]:
    """The event that waits under ``uuid``, and its text. One that cannot be chained as it is must not hold
    back all that come after it: another goes in its place, which says so."""
    try:
        waiting = parse(words)
    except ValueError:
        told = f"what waited here cannot be read: {words}"
        event = AuditEvent(
            uuid=uuid, at=now, outcome=Outcome.FAILED, resource_type="audit_event", detail=told
        )
        return event, canonical(event)
    event = fitted(waiting)  # the release before lets anything wait
    return event, words if event is waiting else canonical(event)


async def get_head(tx: Transaction) -> Head:
    """The newest link; of a chain that was cut to nothing, its anchor."""
    row = (await tx.execute(_LAST)).first()
    return await get_anchor(tx) if row is None else Head(row[0], row[1])


async def get_anchor(tx: Transaction) -> Head:
    """What the first link that is left refers to."""
    row = (await tx.execute(_ANCHOR)).first()
    return Head(0, GENESIS) if row is None else Head(row[0], row[1])


async def count_unchained(tx: Transaction) -> int:
    """How many events wait in the inbox."""
    return int((await tx.execute(select(func.count()).select_from(AUDIT_INBOX))).scalar() or 0)


async def list_links(
    tx: Transaction, filters: AuditFilter, *, after: int = 0, limit: int = _BATCH
) -> Sequence[Link]:
    """Events of the chain behind the position ``after``, in its order."""
    columns = AUDIT_EVENTS.c
    statement = select(columns.position, columns.event, columns.hash).where(columns.position > after)
    for name in ("user", "project", "resource", "request_id", "outcome"):
        if (value := getattr(filters, name)) is not None:
            statement = statement.where(columns[name] == value)
    if filters.since is not None:
        statement = statement.where(columns.at >= filters.since)
    if filters.until is not None:
        statement = statement.where(columns.at < filters.until)
    rows = await tx.execute(statement.order_by(columns.position).limit(limit))
    return [Link(row[0], parse(row[1]), row[2]) for row in rows]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What looking at the whole chain has shown: its ``head`` as far as it is sound, and what is wrong behind
    that, if anything is. ``unchained`` events are not in the chain yet: nothing vouches for them so far.
    """

    anchor: Head
    head: Head
    unchained: int
    problem: str = ""

    @property
    def is_sound(self) -> bool:
        return not self.problem


async def verify_chain(database: Database, witness: Head | None = None) -> Verdict:
    """Work out every hash anew, from the anchor to the head. ``witness`` is a head that was noted earlier,
    somewhere else: without one, a chain that was cut at its end or written anew as a whole looks sound.

    Raises:
        NotFound: The witness is older than the anchor: what it vouches for was pruned.
    """
    async with database.read() as tx:
        anchor = await get_anchor(tx)
        unchained = await count_unchained(tx)
    if witness is not None and witness.position < anchor.position:
        raise NotFound(f"What was before position {anchor.position} was pruned; use a newer head.")
    head, problem = anchor, _contradiction(anchor, witness)
    async for row in _rows_after(database, anchor.position):
        if problem:
            break
        problem = _fault(head, row)
        if not problem:
            head = Head(row["position"], row["hash"])
            problem = _contradiction(head, witness)
    if not problem and witness is not None and head.position < witness.position:
        problem = f"the chain ends at position {head.position}: later links were deleted"
    return Verdict(anchor, head, unchained, problem)


async def prune_chain(tx: Transaction, before: Timestamp, limit: int = PRUNE_BATCH) -> int:
    """Delete up to ``limit`` links at the old end of the chain, up to the first that is not older than
    ``before``, and leave an anchor in their place; how many there were.

    The newest link stays, so that the chain can always be told apart from a new one. Of the anchors, only the
    newest stays.
    """
    columns = AUDIT_EVENTS.c
    links = select(columns.position, columns.at, columns.hash).order_by(columns.position).limit(limit + 1)
    behind = columns.position > (await get_anchor(tx)).position
    candidates = (await tx.execute(links.where(behind))).all()[:-1]
    old = list(takewhile(lambda row: row.at < before, candidates))
    if not old:
        return 0
    position, _, found = old[-1]
    await tx.execute(insert(AUDIT_ANCHORS), {"position": position, "hash": found, "created_at": tx.now()})
    await tx.execute(delete(AUDIT_ANCHORS).where(AUDIT_ANCHORS.c.position < position))
    return (await tx.execute(delete(AUDIT_EVENTS).where(columns.position <= position))).rowcount


async def _rows_after(database: Database, position: int) -> AsyncIterator[dict[str, Any]]:
    while True:
        async with database.read() as tx:
            statement = select(AUDIT_EVENTS).where(AUDIT_EVENTS.c.position > position)
            found = await tx.execute(statement.order_by(AUDIT_EVENTS.c.position).limit(_BATCH))
            rows = [dict(row._mapping) for row in found]
        for row in rows:
            yield row
        if not rows:
            return
        position = rows[-1]["position"]


def _fault(before: Head, row: dict[str, Any]) -> str:
    """What is wrong with the link that comes after ``before``; empty when nothing is."""
    position, event = int(str(row["position"])), str(row["event"])
    if position != before.position + 1:
        return f"position {before.position + 1} is missing"
    if row["hash"] != link_hash(before.hash, position, event):
        return f"position {position} was changed, or what comes before it was"
    try:
        columns = _columns(parse(event))
    except ValueError:
        return f"position {position} is no audit event"
    wrong = [name for name, value in columns.items() if row[name] != value]
    return f"position {position}: column '{wrong[0]}' is not what the event says" if wrong else ""


def _contradiction(head: Head, witness: Head | None) -> str:
    if witness is None or witness.position != head.position or witness.hash == head.hash:
        return ""
    return f"position {head.position} has another hash than was noted: the chain was written anew"


def _columns(event: AuditEvent) -> dict[str, Any]:
    """What lists are filtered by."""
    names = ("uuid", "at", "user", "project", "resource", "request_id")
    return {**{name: getattr(event, name) for name in names}, "outcome": event.outcome.value}
