"""The audit trail of requests: one event for each change made, and for each that was refused.

A request that may change something has a draft, which travels with it in a context variable. The first
transaction that it commits takes the event along: there is no change without its event, whenever the process
dies. What changes a machine and no row of ours (a boot device, a virtual interface) is recorded when it is
done.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import structlog

from bessemer.domain.audit import AuditEvent, Outcome
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, NotFound
from bessemer.kernel.ident import new_uuid
from bessemer.service.caller import Caller
from bessemer.service.refusal_limit import RefusalLimit
from bessemer.store.audit import CHAIN_BATCH, add_audit_event, chain_events
from bessemer.store.database import Database, Transaction

log = structlog.get_logger(__name__)

#: How long events gather before they are chained, and how often to look for those of other processes.
GATHER_S, PAUSE_S = 0.5, 30.0
#: How long to leave it alone when it has failed.
RETRY_S = 5.0
_MOST_CHANGED = 50


@dataclass(slots=True)
class Draft:
    """What is known so far of a request that may change something.

    ``noun`` is the kind of thing it is about, ``ident`` how it names it. ``is_concealed``: it was refused in
    the words used of what does not exist.
    """

    method: str
    route: str
    address: str
    caller: Caller | None = None
    rule: str = ""
    noun: str = ""
    ident: str = ""
    is_recorded: bool = False
    is_over: bool = False
    is_concealed: bool = False
    changed: list[tuple[str, str]] = field(default_factory=list)


_draft: ContextVar[Draft | None] = ContextVar("audit_draft", default=None)


def concealed(missing: NotFound) -> NotFound:
    """``missing``, said of what is there, but not for the caller: a refusal, whatever it is called."""
    draft = _draft.get()
    if draft is not None:
        draft.is_concealed = True
    return missing


def current_draft() -> Draft | None:
    """The draft of the request at hand; None when it can change nothing, or there is no request."""
    return _draft.get()


class AuditTrail:
    """Writes events, and keeps the chain growing. ``limit`` bounds what strangers can make it write."""

    def __init__(self, database: Database, limit: RefusalLimit | None = None) -> None:
        self._database = database
        self._limit = limit or RefusalLimit()
        self._woken = asyncio.Event()
        database.before_commit = self.note

    @contextmanager
    def during(self, draft: Draft) -> Iterator[None]:
        """``draft`` is that of whatever happens in the block, and of nothing that goes on after it."""
        token = _draft.set(draft)
        try:
            yield
        finally:
            draft.is_over = True
            _draft.reset(token)

    async def note(self, tx: Transaction) -> None:
        """Put the event of the request at hand, if there is one, into the transaction it is to commit."""
        draft = _draft.get()
        if draft is None or draft.is_over or draft.is_recorded:
            return
        draft.changed = list(tx.changed)
        await add_audit_event(tx, self._event(draft, Outcome.DONE))

        def committed() -> None:
            draft.is_recorded = True
            self._woken.set()

        tx.after_commit(committed)

    async def end(self, draft: Draft, status: int) -> None:
        """The request is about to be answered with ``status``: record what no transaction did. A failure to
        do so is logged: what was done is done, and the caller is told so."""
        draft.is_over = True
        is_hidden = is_hidden_refusal(draft, status)
        is_refused = status in (401, 403) or is_hidden
        is_failed = draft.is_recorded and status >= 400
        if not (is_refused or is_failed or (status < 400 and not draft.is_recorded)):
            return
        detail = ""
        if is_refused:
            passed_over = self._limit.admit(draft.address, self._database.clock.now().timestamp())
            if passed_over is None:
                return
            told = ["answered as if it did not exist"] if is_hidden else []
            told += [f"{passed_over} more refusals were not recorded"] if passed_over else []
            detail = "; ".join(told)
        outcome = Outcome.REFUSED if is_refused else Outcome.FAILED if is_failed else Outcome.DONE
        try:
            async with self._database.write() as tx:
                await add_audit_event(tx, self._event(draft, outcome, status=status, detail=detail))
        except BessemerError as error:
            log.error("audit event not written", route=draft.route, status=status, error=str(error))  # noqa: TRY400
        self._woken.set()

    async def run(self) -> None:
        """Chain events as they come, until cancelled. A failure is logged, and tried again later."""
        while True:
            try:
                await self.chain_waiting()
            except BessemerError as error:
                log.warning("audit events not chained", error=str(error))
                await asyncio.sleep(RETRY_S)
            except Exception:  # whatever it is: the process has more to do than this
                log.exception("audit events not chained")
                await asyncio.sleep(RETRY_S)
            try:
                async with asyncio.timeout(PAUSE_S):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()
            await asyncio.sleep(GATHER_S)

    async def chain_waiting(self) -> int:
        """Chain every event that waits; how many those were. What comes meanwhile gathers for the next time:
        looked for at once, each would get a transaction of its own while there is much to do.

        Raises:
            Unavailable: The database is.
        """
        count, done = 0, CHAIN_BATCH
        while done == CHAIN_BATCH:
            async with self._database.write() as tx:
                done = await chain_events(tx)
            count += done
        return count

    def _event(
        self, draft: Draft, outcome: Outcome, *, status: int | None = None, detail: str = ""
    ) -> AuditEvent:
        caller = draft.caller or Caller()
        noun, resource = _subject(draft)
        return AuditEvent(
            uuid=new_uuid(),
            at=timestamp(self._database.clock),
            outcome=outcome,
            request_id=caller.request_id,
            global_request_id=caller.global_request_id,
            user=caller.user,
            user_name=caller.user_name,
            project=caller.project,
            project_name=caller.project_name,
            system_scope=caller.system_scope,
            roles=sorted(caller.roles),
            address=caller.address or draft.address,
            method=draft.method,
            route=draft.route,
            rule=draft.rule,
            resource_type=noun,
            resource=resource,
            changed=[f"{kind}/{uuid}" for kind, uuid in draft.changed[:_MOST_CHANGED]],
            status=status,
            detail=detail,
        )


def is_hidden_refusal(draft: Draft, status: int) -> bool:
    """Whether ``status`` is that of something missing, and stands for a refusal."""
    return status == 404 and draft.is_concealed


def _subject(draft: Draft) -> tuple[str, str]:
    """What the request is about: the thing of its own kind that was changed, else what it named."""
    of_its_kind = next((one for one in draft.changed if one[0] == draft.noun), None)
    if of_its_kind is not None:
        return of_its_kind
    if draft.ident or not draft.changed:
        return draft.noun, draft.ident
    return draft.changed[0]
