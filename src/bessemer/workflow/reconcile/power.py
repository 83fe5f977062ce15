"""Power sync: the machine's power and the node's record of it are brought together.

Source: v1 contract, power, sync. Unlike there, a look that finds all as it should be leaves ``last_error``
alone: what went wrong stays to be read until somebody does something about it.
"""

from typing import Final

import structlog

from bessemer.config.settings import ConductorSettings
from bessemer.domain.limit import Priority
from bessemer.domain.node import Node
from bessemer.domain.operation import NewOperation
from bessemer.domain.power import PowerState, PowerTarget
from bessemer.domain.provision import ProvisionState
from bessemer.engine.gateway import Gateway
from bessemer.engine.reconcile.sweep import Again
from bessemer.kernel.clock import timestamp
from bessemer.kernel.error import BessemerError, InvalidValue, Unavailable
from bessemer.store.database import Database, Transaction
from bessemer.store.duty import EVENTS, hasten_duty
from bessemer.store.event import Severity, add_event
from bessemer.store.event_subscription import doubt_subscription
from bessemer.store.node import get_node, update_node
from bessemer.store.node_view import NodeView
from bessemer.store.operation import find_active
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.node_reader import NodeReader
from bessemer.workflow.reconcile.pace import rested_interval

_log = structlog.get_logger()

#: ``fault`` of a node whose power cannot be known or held.
POWER_FAILURE: Final = "power failure"
#: Who asks for the operations that put the power right.
SYNC: Final = "power sync"

#: Nodes in these states are let be: not ours yet, or expecting a machine that switches by itself.
_LEFT_ALONE = frozenset(
    {
        ProvisionState.ENROLL,
        ProvisionState.ADOPT_FAILED,
        ProvisionState.DEPLOY_WAIT,
        ProvisionState.CLEAN_WAIT,
    }
)
#: How much sooner than usual a machine is looked at again that was not as expected.
_SOONER = 4
#: An event of a change that was found has come by then, if it comes at all.
_EVENT_S = 30.0
_TARGETS = {PowerState.ON: PowerTarget.ON, PowerState.OFF: PowerTarget.OFF}


class PowerSync:
    """``look`` is the duty; ``host`` is the conductor's name in events."""

    def __init__(
        self,
        database: Database,
        machines: Machines,
        gateway: Gateway,
        settings: ConductorSettings,
        host: str,
        *,
        event_poll_s: float = 0.0,
    ) -> None:
        """``event_poll_s`` is the longest pause between looks at machines that tell of changes themselves."""
        self._database = database
        self._machines = machines
        self._gateway = gateway
        self._settings = settings
        self._host = host
        self._event_poll_s = event_poll_s
        self._nodes = NodeReader(database)

    async def look(self, node_uuid: str, failures: int) -> Again:
        """Look at one node. ``failures`` counts looks in a row that got no answer or found the wrong state.

        Raises:
            NotFound: The node is gone.
            Unavailable: The database is.
        """
        view = await self._nodes.get(node_uuid)
        node = view.node
        if is_faulty(node):
            return await self._recover(node)
        if view.is_busy or not _is_nobodys_matter(node):
            return self._later()
        try:
            driver = self._machines.driver_of(node)
        except InvalidValue:  # another conductor of the group may drive it
            return self._later(failures)
        return await self._compare(view, failures, can_force=driver.power.supports_sync)

    async def _compare(self, view: NodeView, failures: int, *, can_force: bool) -> Again:
        node = view.node
        # Several machines may share a BMC: looks in vain may be looks that their BMC never saw.
        is_last = failures >= self._settings.power_state_sync_max_retries
        try:
            found = await self._machines.power_state(node, is_last_look=is_last)
        except Unavailable:
            raise
        except BessemerError as error:
            return await self._unanswered(node, error, failures + 1)
        if failures or (view.has_events and found is not node.power_state):
            await self._doubt(view)
        if found is node.power_state:
            return Again(self._rested(view))
        is_forced = (
            can_force
            and self._settings.force_power_state_during_sync
            and not node.disable_power_off
            and node.power_state in _TARGETS
            and found in _TARGETS
        )
        if is_forced:
            return await self._force(node, found, failures)
        await self._adopt(node, found)
        # Somebody is at work there: what changed once soon changes again.
        return Again(self._settings.sync_power_state_interval / _SOONER)

    def _later(self, failures: int = 0) -> Again:
        return Again(self._settings.sync_power_state_interval, failures)

    def _rested(self, view: NodeView) -> float:
        """Seconds until the next look at a machine that is as expected."""
        longest_s = self._event_poll_s if view.has_events else self._settings.sync_power_state_max_interval
        now = timestamp(self._database.clock)
        return rested_interval(self._settings.sync_power_state_interval, longest_s, view.node, now)

    async def _doubt(self, view: NodeView) -> None:
        """A BMC that was away, or a change that nobody told of: is the subscription still there?"""
        if not self._event_poll_s:
            return
        async with self._database.write() as tx:
            since = timestamp(tx.clock, after_s=-_EVENT_S)
            is_new = await doubt_subscription(tx, view.node.uuid, unheard_since=since)
            if is_new or not view.has_events:
                await hasten_duty(tx, EVENTS, view.node.uuid)
        if is_new:
            _log.info("a machine changed and its BMC told nobody", node=view.node.uuid)

    async def _adopt(self, seen: Node, found: PowerState) -> None:
        """Let the record follow the machine."""
        async with self._database.write() as tx:
            if await self._find_unchanged(tx, seen) is None:
                return
            await update_node(tx, seen.uuid, power_state=found)
            if seen.power_state is not None:
                await self._tell(
                    tx, seen, "INFO", f"the machine is '{found}', and was '{seen.power_state}' when last seen"
                )

    async def _force(self, seen: Node, found: PowerState, failures: int) -> Again:
        """Drive the machine to the recorded state; when that has not helped, keep away from it."""
        if failures >= self._settings.power_state_sync_max_retries:
            reason = f"the machine does not stay at '{seen.power_state}': it is '{found}' again"
            await self._give_up(seen, found, reason)
            return self._later()
        async with self._database.write() as tx:
            if await self._find_unchanged(tx, seen) is None:
                return self._later()
            recorded = PowerState(seen.power_state or found)
            await update_node(tx, seen.uuid, target_power_state=recorded)
            await self._gateway.enqueue(
                tx,
                NewOperation(
                    node_uuid=seen.uuid,
                    kind="power",
                    args={"target": _TARGETS[recorded].value, "timeout": None},
                    conductor_group=seen.conductor_group,
                    requested_by=SYNC,
                    priority=Priority.LOW,
                ),
            )
            await self._tell(tx, seen, "INFO", f"the machine is '{found}' and is brought to '{recorded}'")
        return self._later(failures + 1)

    async def _unanswered(self, seen: Node, error: BessemerError, failures: int) -> Again:
        if failures == 1:
            _log.warning("the power of a machine cannot be read", node=seen.uuid, error=str(error))
        if failures > self._settings.power_state_sync_max_retries:
            await self._give_up(seen, None, f"its power could not be read {failures} times: {error}")
            return self._later()
        return self._later(failures)

    async def _give_up(self, seen: Node, found: PowerState | None, reason: str) -> None:
        """Maintenance: nobody is given a machine that does not obey."""
        async with self._database.write() as tx:
            if await self._find_unchanged(tx, seen) is None:
                return
            text = f"Power sync gave up: {reason}"
            await update_node(
                tx,
                seen.uuid,
                power_state=found,
                maintenance=True,
                maintenance_reason=text,
                fault=POWER_FAILURE,
                last_error=text,
            )
            await self._tell(tx, seen, "ERROR", text)
        _log.warning("a machine is taken out of service", node=seen.uuid, reason=reason)

    async def _recover(self, seen: Node) -> Again:
        """Whether a machine that was given up answers again."""
        interval_s = self._settings.power_failure_recovery_interval
        if interval_s == 0:
            return self._later()
        again = Again(interval_s)
        try:
            found = await self._machines.power_state(seen)
        except Unavailable:
            raise
        except BessemerError:
            return again
        async with self._database.write() as tx:
            node = await get_node(tx, seen.uuid, lock=True)
            if not is_faulty(node) or not await _is_idle(tx, node):
                return again
            await update_node(
                tx, node.uuid, power_state=found, maintenance=False, maintenance_reason=None, fault=None
            )
            await self._tell(tx, node, "INFO", f"the machine answers again, and is '{found}'")
        _log.info("a machine is back in service", node=seen.uuid)
        return self._later()

    async def _find_unchanged(self, tx: Transaction, seen: Node) -> Node | None:
        """The node, locked, if it is still as it was when the machine was asked; None: the look is void."""
        node = await get_node(tx, seen.uuid, lock=True)
        is_same = node.power_state is seen.power_state and node.provision_state is seen.provision_state
        return node if is_same and await _is_free(tx, node) else None

    async def _tell(self, tx: Transaction, node: Node, severity: Severity, message: str) -> None:
        await add_event(
            tx,
            node_uuid=node.uuid,
            kind=SYNC,
            severity=severity,
            message=message,
            conductor=self._host,
            state=node.provision_state,
        )


def is_faulty(node: Node) -> bool:
    """Whether power sync has given the node up, and nobody has decided otherwise since."""
    return node.maintenance and node.fault == POWER_FAILURE


def _is_nobodys_matter(node: Node) -> bool:
    """Whether nobody is changing the node's power, as far as the node itself tells."""
    return (
        not node.maintenance
        and node.target_power_state is None
        and node.provision_state not in _LEFT_ALONE
        and node.reservation is None
    )


async def _is_free(tx: Transaction, node: Node) -> bool:
    """Whether the node's power is nobody's matter at the moment."""
    return _is_nobodys_matter(node) and await _is_idle(tx, node)


async def _is_idle(tx: Transaction, node: Node) -> bool:
    return node.reservation is None and await find_active(tx, node.uuid) is None
