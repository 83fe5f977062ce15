"""Events: a subscription of ours at the BMC of every node, for as long as there is the node.

What a subscription is worth shows when something arrives: a BMC is asked for an event that means nothing, and
machines are polled less often only from the first event on that came, until one did not.
"""

import hashlib
from typing import Final

import structlog
from msgspec.structs import replace

from bessemer.config.settings import RedfishSettings
from bessemer.domain.event_subscription import EventSubscription
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.engine.reconcile.sweep import Again
from bessemer.hardware.interface import EventSource, EventTarget, JsonObject
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, DeviceUnreachable, InvalidValue, NotFound, Unavailable
from bessemer.kernel.ident import is_uuid
from bessemer.kernel.seal import SealBroken
from bessemer.store.database import Database
from bessemer.store.duty import HEALTH, POWER, hasten_duty
from bessemer.store.event_subscription import (
    add_subscription,
    find_subscription,
    forget_subscription,
    leave_subscription,
    update_subscription,
)
from bessemer.store.event_token import event_token
from bessemer.store.node import find_node, get_node
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.node_reader import NodeReader

_log = structlog.get_logger()

#: Where events are posted to, below the API's address.
PATH: Final = "/redfish/events/"
#: How the contexts of our subscriptions begin. The node's UUID and a digest of the URL and
#: the BMC's place follow: what was left at a BMC is not taken for what is wanted at the next one.
MARK: Final = "bessemer:"
#: Looks at a BMC that tells nobody come less and less often, so many times less in the end.
_SELDOM = 24
#: Until nodes are ours, or given back to us, and BMCs are expected to answer.
_NOT_YET_S = 300.0
#: A BMC that does not answer is looked at again after this long, at most.
_UNANSWERED_S = 300.0


class EventCare:
    """``base_url`` is our API as BMCs reach it."""

    def __init__(
        self, database: Database, machines: Machines, settings: RedfishSettings, *, base_url: str
    ) -> None:
        self._database = database
        self._machines = machines
        self._check_s = float(settings.event_check_interval)
        self._base_url = base_url.rstrip("/")
        self._nodes = NodeReader(database)

    async def look(self, node_uuid: str, failures: int) -> Again:
        """Look after one node's subscription. ``failures`` counts looks in a row after which no events came.

        Raises:
            NotFound: The node is gone.
            Unavailable: The database is.
        """
        node = (await self._nodes.get(node_uuid)).node
        if node.provision_state is ProvisionState.ENROLL or node.maintenance:
            return Again(min(self._check_s, _NOT_YET_S))
        known = await self._known(node)
        try:
            source = self._machines.event_source(node)
        except InvalidValue:  # another conductor of the group may drive it
            return Again(self._check_s, failures)
        if source is None:
            if known is not None:
                await self._leave(node)
            return Again(self._check_s)
        try:
            known = await self._follow(node, source, known)
            return await self._ensure(node, source, known, failures)
        except (NotFound, Unavailable):
            raise
        except BessemerError as error:
            if known is not None and not _is_silent(error):
                # Whether it still has our subscription is not known, and it takes no other.
                await self._note_deaf(node, known, is_new=known.heard_at is not None)
            return self._failed(node, error, failures)

    async def _known(self, node: Node) -> EventSubscription | None:
        try:
            async with self._database.read() as tx:
                return await find_subscription(tx, node.uuid)
        except SealBroken as error:  # made anew: what is at the BMC is found again by its context
            _log.warning(
                "a subscription cannot be opened and is made anew", node=node.uuid, reason=str(error)
            )
            async with self._database.write() as tx:
                await forget_subscription(tx, node.uuid)
            return None

    async def _follow(
        self, node: Node, source: EventSource, known: EventSubscription | None
    ) -> EventSubscription | None:
        """What is known, as the node's BMC is reached now; None when that is another BMC.

        Raises InvalidValue when the node's access to its BMC is malformed.
        """
        access = source.access(node)
        if known is None or known.access == access:
            return known
        if not _is_same_place(source, known.access, access):
            await self._leave(node)
            return None
        async with self._database.write() as tx:
            await update_subscription(tx, known.uuid, access=access)
        return replace(known, access=access)

    async def _leave(self, node: Node) -> None:
        """The node is at another BMC, or nobody's events count: somebody takes the subscription away."""
        async with self._database.write() as tx:
            await leave_subscription(tx, node.uuid)

    async def _ensure(
        self, node: Node, source: EventSource, known: EventSubscription | None, failures: int
    ) -> Again:
        target = self._target(node, source.place(source.access(node)))
        is_same = known is not None and known.context == target.context
        path = await self._machines.subscribe(
            node, target, known.path if known is not None and is_same else None, self._staleness(node)
        )
        is_moved = known is not None and known.conductor_group != node.conductor_group
        if known is None or not is_same or known.path != path or is_moved:
            known = await self._note(node, source, target, path)
            failures = 0
        is_deaf = known.tested_at is not None and (known.heard_at or "") < known.tested_at
        if is_deaf:
            await self._note_deaf(node, known, is_new=known.heard_at is not None or failures == 0)
        await self._test(node, known)
        return Again(self._check_s, failures + 1 if is_deaf else 0)

    def _target(self, node: Node, place: str) -> EventTarget:
        url = f"{self._base_url}{PATH}{event_token(self._database.vault, node.uuid)}"
        digest = hashlib.sha256(f"{url} {place}".encode()).hexdigest()[:8]
        return EventTarget(url, f"{MARK}{node.uuid}:{digest}")

    def _staleness(self, node: Node) -> "Staleness":
        return Staleness(self._database, node.uuid, f"{self._base_url}{PATH}")

    async def _note(
        self, node: Node, source: EventSource, target: EventTarget, path: str
    ) -> EventSubscription:
        """Remember the subscription, in place of the one before. Without the node, it is to be taken away.

        Raises NotFound when the node has gone meanwhile.
        """
        access = source.access(node)
        async with self._database.write() as tx:
            try:
                group = (await get_node(tx, node.uuid, lock=True)).conductor_group
            except NotFound:
                owner, group = None, node.conductor_group
            else:
                owner = node.uuid
                known = await find_subscription(tx, node.uuid)
                if known is not None and _is_same_place(source, known.access, access):
                    changes = {
                        "access": access,
                        "path": path,
                        "context": target.context,
                        "tested_at": None,
                        "heard_at": None,
                    }
                    await update_subscription(tx, known.uuid, conductor_group=group, **changes)
                    await hasten_duty(tx, POWER, node.uuid)
                    found = await find_subscription(tx, node.uuid)
                    return found or known
                if known is not None:
                    await leave_subscription(tx, node.uuid)
            made = await add_subscription(
                tx, node_uuid=owner, group=group, access=access, path=path, context=target.context
            )
        if owner is None:
            raise NotFound(f"Node '{node.uuid}' could not be found.")
        return made

    async def _note_deaf(self, node: Node, known: EventSubscription, *, is_new: bool) -> None:
        """An event that was asked for has not come: poll as if there were no subscription."""
        if is_new:
            _log.warning("events of a BMC do not arrive; it is polled", node=node.uuid, url=self._base_url)
        if known.heard_at is None:
            return
        async with self._database.write() as tx:
            await update_subscription(tx, known.uuid, heard_at=None)
            await hasten_duty(tx, POWER, node.uuid)
            await hasten_duty(tx, HEALTH, node.uuid)

    async def _test(self, node: Node, known: EventSubscription) -> None:
        """Ask for an event, unless one has come lately anyway."""
        clock = self._database.clock
        if known.heard_at is not None and known.heard_at > timestamp(clock, after_s=-self._check_s):
            return
        # Noted first: it may arrive before the answer.
        async with self._database.write() as tx:
            await update_subscription(tx, known.uuid, tested_at=tx.now())
        if not await self._machines.send_test_event(node):
            async with self._database.write() as tx:
                await update_subscription(tx, known.uuid, tested_at=None)

    def _failed(self, node: Node, error: BessemerError, failures: int) -> Again:
        if _is_silent(error):
            return Again(min(self._check_s, _UNANSWERED_S), failures)
        if failures == 0:
            _log.info("a BMC tells us of no changes; it is polled", node=node.uuid, reason=str(error))
        return Again(self._check_s * min(failures + 1, _SELDOM), failures + 1)


def _is_silent(error: BessemerError) -> bool:
    """Whether the BMC gave no answer at all."""
    return isinstance(error, DeviceUnreachable) and not getattr(error, "status", 0)


def _is_same_place(source: EventSource, before: JsonObject, now: JsonObject) -> bool:
    """Whether both lead to the same BMC. Raises InvalidValue when ``now`` is malformed."""
    place = source.place(now)
    try:
        return source.place(before) == place
    except InvalidValue:  # read by another driver's rules
        return False


class Staleness:
    """Whether a subscription, known by its context and URL, is one of ours that nobody needs."""

    def __init__(self, database: Database, node_uuid: str, our_urls: str) -> None:
        self._database = database
        self._node_uuid = node_uuid
        self._our_urls = our_urls

    async def __call__(self, context: str, url: str) -> bool:
        """Those of this node are, since the present one is known; of other nodes only those that do not exist
        any more and whose events come to us: another service may look after the same BMC."""
        if not context.startswith(MARK):
            return False
        whose = context.removeprefix(MARK).partition(":")[0]
        if whose == self._node_uuid:
            return True
        if not is_uuid(whose) or not url.startswith(self._our_urls):
            return False
        async with self._database.read() as tx:
            return await find_node(tx, whose) is None
