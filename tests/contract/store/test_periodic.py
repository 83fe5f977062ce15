"""What is asked of the database again and again goes by an index, and no table grows for ever."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from bessemer.domain.limit import Limit
from bessemer.domain.operation import NewOperation, Operation
from bessemer.domain.provision import ProvisionState
from bessemer.store.admission import find_slots
from bessemer.store.allocation import list_waiting_allocations
from bessemer.store.audit import prune_chain
from bessemer.store.backlog import read_backlog
from bessemer.store.call import delete_old_calls
from bessemer.store.claim import claim_operations, list_held, next_wake, release_operations
from bessemer.store.conductor import has_lease_ended, touch_conductor
from bessemer.store.database import Database
from bessemer.store.duty import (
    HISTORY,
    POWER,
    NodeDuty,
    Outcome,
    claim_duty,
    claim_node_duties,
    finish_node_duties,
    hasten_duty,
    next_node_duty,
)
from bessemer.store.event import add_event, trim_history
from bessemer.store.event_subscription import (
    add_subscription,
    claim_left_subscriptions,
    doubt_subscription,
    find_subscription,
    note_heard,
    prune_left_subscriptions,
)
from bessemer.store.mixed_group import count_servable, leave_turns
from bessemer.store.node_view import read_node_views
from bessemer.store.operation import enqueue, find_active, list_operations
from bessemer.store.orphan import list_orphans
from bessemer.store.page import Page
from bessemer.store.prune import prune_conductors, prune_events, prune_operations
from bessemer.store.queue import find_place
from bessemer.store.table import METADATA
from fakes.explaining import ExplainingTransaction
from fakes.store import add_nodes

LONG_AGO = "2000-01-01T00:00:00.000000+00:00"
NODE = "0195cafe-0000-7000-8000-000000000000"
KINDS = [("deploy", 1), ("clean", 1)]
LIMITS = {"deploy": Limit(9), "clean": Limit(9)}
AT_WORK = (ProvisionState.DEPLOYING, ProvisionState.CLEANING)
CLAIM: dict[str, Any] = {"owner": "me", "group": "", "kinds": KINDS, "limit": 50}

Query = Callable[[Any], Awaitable[Any]]


async def ask_again(tx: Any) -> None:
    await enqueue(tx, NewOperation(node_uuid=(await _last(tx)).node_uuid, kind="clean"), ())


async def _last(tx: Any) -> Operation:
    [last] = await list_operations(tx.unexplained, page=Page(1, sort_dir="desc"))
    return last


async def find_last_place(tx: Any) -> None:
    last = await _last(tx)
    assert await find_place(tx, last)


#: Every query that is made by a timer, not by a request.
PERIODIC: dict[str, Query] = {
    "claim operations": lambda tx: claim_operations(tx, **CLAIM),
    "claim operations under limits": lambda tx: claim_operations(
        tx, **CLAIM, slots={"deploy": 9, "clean": 9}
    ),
    "free slots": lambda tx: find_slots(tx, "", LIMITS, 50),
    "queued operations that somebody drives": count_servable,
    "slots left to peers": lambda tx: leave_turns(tx, "", {"deploy": 9, "clean": 9}, ["ipmi"], 50),
    "backlog": read_backlog,
    "a turn in the queue": ask_again,
    "a place in the queue": find_last_place,
    "next wake": lambda tx: next_wake(tx, "", KINDS, tx.now()),
    "what is held": lambda tx: list_held(tx, "me"),
    "release": lambda tx: release_operations(tx, "me", [NODE]),
    "sign of life": lambda tx: touch_conductor(tx, "host", "me"),
    "lost peers": lambda tx: has_lease_ended(tx, 20),
    "claim node duties": lambda tx: claim_node_duties(tx, POWER, "", limit=50, claimed_until=tx.now()),
    "claim node duties of some hardware": lambda tx: claim_node_duties(
        tx, POWER, "", limit=50, claimed_until=tx.now(), drivers=["redfish", "fake-hardware"]
    ),
    "claim node duties of no hardware": lambda tx: claim_node_duties(
        tx, HISTORY, "", limit=50, claimed_until=tx.now(), drivers=[]
    ),
    "finish node duties": lambda tx: finish_node_duties(
        tx, POWER, [Outcome(NodeDuty(NODE, 0, LONG_AGO), LONG_AGO)]
    ),
    "hasten node duties": lambda tx: hasten_duty(tx, POWER, NODE),
    "subscription of a node": lambda tx: find_subscription(tx, NODE),
    "events heard": lambda tx: note_heard(tx, [NODE]),
    "events doubted": lambda tx: doubt_subscription(tx, NODE, unheard_since=LONG_AGO),
    "subscriptions left": lambda tx: claim_left_subscriptions(tx, "", limit=50, claimed_until=tx.now()),
    "subscriptions abandoned": lambda tx: prune_left_subscriptions(tx, LONG_AGO),
    "next node duty": lambda tx: next_node_duty(tx, POWER, ""),
    "claim a duty": lambda tx: claim_duty(tx, "orphans", tx.now()),
    "what works on a node": lambda tx: find_active(tx, NODE),
    "nodes for a sweep": lambda tx: read_node_views(tx, [NODE]),
    "trim a history": lambda tx: trim_history(tx, NODE, 300, before=tx.now()),
    "prune operations": lambda tx: prune_operations(tx, LONG_AGO, 500),
    "prune events": lambda tx: prune_events(tx, LONG_AGO, 500),
    "prune conductors": lambda tx: prune_conductors(tx, LONG_AGO),
    "orphans": lambda tx: list_orphans(
        tx, [ProvisionState.DEPLOYING, ProvisionState.CLEANING], LONG_AGO, 100
    ),
    "prune audit trail": lambda tx: prune_chain(tx, LONG_AGO, 500),
    "old calls": lambda tx: delete_old_calls(tx, "query", LONG_AGO),
    "waiting allocations": lambda tx: list_waiting_allocations(tx, 100),
}

#: As many rows as there are conductors, duties or (one) anchors: reading them all is the quickest way.
SMALL = {"conductors", "duties", "audit_anchors"}


async def fill(database: Database) -> None:
    """Enough rows of each kind for a planner to care."""
    states = [{"provision_state": state} for state in ProvisionState]
    nodes = await add_nodes(database, *(state for state in states for _ in range(20)))
    async with database.write() as tx:
        for node in nodes:
            for pool in ("", "deploy", "clean"):
                await enqueue(tx, NewOperation(node_uuid=node.uuid, kind="deploy", pool=pool), ())
            await add_event(tx, node_uuid=node.uuid, kind="a", in_history=False)
            await add_subscription(tx, node_uuid=node.uuid, group="", access={}, path="/", context="")


@pytest.mark.parametrize("name", PERIODIC)
async def test_a_periodic_query_reads_no_table_from_end_to_end(database: Database, name: str) -> None:
    await fill(database)
    async with database.write() as tx:
        if tx.is_postgresql:
            await tx.execute(text("ANALYZE"))
            # A table of a few hundred rows is read whole for good reason; a big one would not be.
            await tx.execute(text("SET LOCAL enable_seqscan = off"))
        explaining = ExplainingTransaction(tx)
        await PERIODIC[name](explaining)
    assert explaining.plans
    for plan in explaining.plans:
        assert not plan.whole_tables() - SMALL, "\n".join([plan.statement, *plan.lines])


async def test_a_query_without_an_index_would_be_noticed(database: Database) -> None:
    await fill(database)
    async with database.write() as tx:
        explaining = ExplainingTransaction(tx)
        await explaining.execute(text("SELECT * FROM nodes WHERE description = 'x'"))
    assert explaining.plans[0].whole_tables() == {"nodes"}


#: How each table is kept from growing for ever.
BOUND = {
    "nodes": "what operators enrol",
    "node_traits": "fifty a node",
    "node_duties": "one a node for each duty; goes with the node",
    "event_subscriptions": "one a node; others go when taken away, or given up",
    "ports": "what operators enrol",
    "portgroups": "what operators enrol",
    "chassis": "what operators enrol",
    "volume_connectors": "what users define; goes with the node",
    "volume_targets": "what users define; goes with the node",
    "bios_settings": "replaced by each reading; goes with the node",
    "firmware_components": "replaced by each reading; goes with the node",
    "inventories": "one a node; goes with it",
    "inspection_reports": "one a node; goes with it",
    "allocations": "what users ask for; one a node when granted",
    "deploy_templates": "what operators define",
    "runbooks": "what operators define",
    "runbook_traits": "what operators define",
    "inspection_rules": "what operators define",
    "operations": "pruned [database]keep_operations_days after their end; calls when they are answered",
    "journal": "goes with its operation",
    "events": "[conductor]node_history_max_entries a node; others pruned by [database]keep_events_days",
    "conductors": "pruned [database]keep_conductors_days after the last sign of life",
    "conductor_interfaces": "goes with its conductor",
    "seal_keys": "one for each key that operators made",
    "duties": "one for each chore in the code",
    "audit_inbox": "emptied into audit_events every moment",
    "audit_events": "pruned up to an anchor, [audit]keep_days after they happened",
    "audit_anchors": "the newest stays",
}


def test_every_table_is_bounded() -> None:
    assert sorted(METADATA.tables) == sorted(BOUND), "say in BOUND how a new table is bounded"
