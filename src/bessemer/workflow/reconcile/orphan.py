"""Orphans: nodes that are shown at work without an operation that works on them.

The two are written together, so this never happens by itself; it does after rows were edited by hand, or
restored from different backups. Such a node would be stuck for ever: it goes to its failed state instead.
"""

from typing import Final

import structlog

from bessemer.domain.node import Node
from bessemer.domain.provision import KINDS, TRANSITIONS, Event, ProvisionState, StateKind
from bessemer.engine.reconcile.chore import Chore
from bessemer.kernel.clock import timestamp
from bessemer.store.database import Database
from bessemer.store.event import add_event
from bessemer.store.node import get_node, update_node
from bessemer.store.operation import find_active
from bessemer.store.orphan import list_orphans

_log = structlog.get_logger()

INTERVAL_S: Final = 180.0
#: How long a node must have been so: a restored database, say, is looked at when it has settled.
_GRACE_S = 60.0
_BATCH = 100

#: States that only an operation keeps a node in, and what ends them without one.
_AT_WORK = tuple(
    state for state in ProvisionState if KINDS[state] not in (StateKind.STABLE, StateKind.FAILED)
)


def orphan_chore(database: Database, host: str) -> Chore:
    """Finds orphans by the index on states, a hundred at a time, and ends their work."""

    async def run() -> int:
        async with database.read() as tx:
            before = timestamp(tx.clock, after_s=-_GRACE_S)
            found = await list_orphans(tx, _AT_WORK, before, _BATCH)
        return sum([await _end(database, uuid, host) for uuid in found])

    return Chore("orphans", INTERVAL_S, run)


async def _end(database: Database, node_uuid: str, host: str) -> bool:
    async with database.write() as tx:
        node = await get_node(tx, node_uuid, lock=True)
        state = failed_state(node)
        if state is None or await find_active(tx, node.uuid) is not None:
            return False
        text = f"Nothing works on this node although it was in '{node.provision_state}'."
        await update_node(
            tx,
            node.uuid,
            provision_state=state,
            target_provision_state=None,
            provision_updated_at=tx.now(),
            target_power_state=None,
            reservation=None,
            last_error=text,
        )
        await add_event(
            tx,
            node_uuid=node.uuid,
            kind="orphan",
            severity="ERROR",
            message=text,
            conductor=host,
            state=state,
        )
    _log.error("a node was at work without an operation", node=node_uuid, state=node.provision_state)
    return True


def failed_state(node: Node) -> ProvisionState | None:
    """Where a node goes whose work has vanished; None when it is not at work."""
    after = TRANSITIONS[node.provision_state]
    if KINDS[node.provision_state] in (StateKind.STABLE, StateKind.FAILED):
        return None
    return after.get(Event.FAIL) or after.get(Event.ABORT)
