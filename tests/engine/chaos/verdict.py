"""What is true when all is over: nothing left open, one instance a machine, no call to a BMC made twice.

The service's journal is held against the simulator's own record. Each call that is not harmless to repeat
belongs to a step; it must have come while a try of that step was under way, and no more often than the
journal has tries.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from engine.chaos.cluster import Cluster
from engine.chaos.operator import Operator

#: Longest time until the last operation is over, once nothing is done to the processes any more.
QUIET_S = 120.0
#: By how much the service's clocks and the simulator's may differ.
_SKEW_S = 0.5
#: What is not harmless to repeat, and the steps that do it.
_STEPS: Mapping[str, tuple[str, ...]] = {
    "reset ForceOff": ("power off before the agent", "power off after the agent", "power off"),
    "reset On": ("boot the agent", "boot the instance", "power on"),
    "insert": ("prepare the agent's boot",),
    "agent deploy.execute_deploy_step": ("write image",),
    "agent image.install_bootloader": ("make bootable",),
    "agent standby.power_off": ("tear down the agent",),
}
_TRIES = ("started", "retried", "resumed")


@dataclass(frozen=True, slots=True)
class Try:
    """A step of one operation, from its beginning to its end, and how often it was tried."""

    operation: str
    step: str
    began_at: float
    ended_at: float
    tries: int


async def until_quiet(site: Cluster) -> list[str]:
    """Operations that are still open after ``QUIET_S`` seconds."""
    deadline = time.monotonic() + QUIET_S
    while True:
        connection = await asyncpg.connect(site.url, timeout=20)
        try:
            rows = await connection.fetch(
                "SELECT node_uuid, kind, state FROM operations WHERE state NOT IN "
                "('succeeded', 'failed', 'cancelled')"
            )
        finally:
            await connection.close()
        if not rows or time.monotonic() > deadline:
            return [f"open: {row['kind']} of {row['node_uuid']} is {row['state']}" for row in rows]
        await asyncio.sleep(1.0)


async def findings(site: Cluster, operator: Operator, deployed: Collection[str]) -> list[str]:
    """Everything that is not as it should be with the nodes ``deployed``, each as a sentence."""
    servers = await site.ask_fleet("/servers")
    calls = defaultdict(list)
    for call in await site.ask_fleet("/changes"):
        calls[call["number"]].append(call)
    tries = await _tries(site)
    retries = Counter(failure.node for failure in operator.failures)
    found: list[str] = []
    for number, node in enumerate(operator.nodes):
        if node not in deployed:
            continue
        about = f"server {number} ({node})"
        found += _of_server(about, servers[number], retries[node])
        found += _of_calls(about, calls[number], tries[node])
    return found


def _of_server(about: str, server: Mapping[str, Any], retries: int) -> Iterator[str]:
    whole = [write for write in server["writes"] if write["finished_at"] is not None]
    if len(whole) != 1 or len(server["writes"]) > 1 + retries:
        yield f"{about}: {len(whole)} whole images in {len(server['writes'])} writes, {retries} retries"
    if not server["has_instance"] or server["power"] != "On":
        yield f"{about}: power {server['power']}, runs its instance: {server['has_instance']}"
    if server["boots"] != 2 and not retries:
        yield f"{about}: {server['boots']} boots"


def _of_calls(about: str, calls: list[Mapping[str, Any]], tries: list[Try]) -> Iterator[str]:
    counts: Counter[Try] = Counter()
    for call in calls:
        kind = _kind(call)
        if kind is None or not call["is_done"]:
            continue
        at = call["at"]
        own = next(
            (
                one
                for one in tries
                if one.step in _STEPS[kind] and one.began_at - _SKEW_S <= at <= one.ended_at + _SKEW_S
            ),
            None,
        )
        if own is None:
            yield f"{about}: {kind} at {at:.3f} while no step asked for it"
        else:
            counts[own] += 1
    for one, count in counts.items():
        if count > one.tries:
            yield f"{about}: step '{one.step}' was tried {one.tries} times and made its call {count} times"


def _kind(call: Mapping[str, Any]) -> str | None:
    """Of ``_STEPS``; None for calls that may be repeated."""
    if call["method"] != "POST":
        return None
    if call["asked"] == "agent":
        kind = f"agent {call['body']['name']}"
    elif call["path"].endswith("ComputerSystem.Reset"):
        kind = f"reset {call['body']['ResetType']}"
    elif call["path"].endswith("InsertMedia"):
        kind = "insert"
    else:
        return None
    return kind if kind in _STEPS else None


async def _tries(site: Cluster) -> dict[str, list[Try]]:
    """By node. A step that was begun and not left ends with the journal."""
    connection = await asyncpg.connect(site.url, timeout=20)
    try:
        rows = await connection.fetch(
            "SELECT o.node_uuid, j.operation_uuid, j.position, j.step, j.at, j.event FROM journal j "
            "JOIN operations o ON o.uuid = j.operation_uuid WHERE j.step <> '' ORDER BY j.id"
        )
    finally:
        await connection.close()
    entries: dict[tuple[str, str, int, str], list[tuple[float, str]]] = defaultdict(list)
    for row in rows:
        key = (row["node_uuid"], row["operation_uuid"], row["position"], row["step"])
        entries[key].append((datetime.fromisoformat(row["at"]).timestamp(), row["event"]))
    found: dict[str, list[Try]] = defaultdict(list)
    for (node, operation, _, step), marks in entries.items():
        count = sum(event in _TRIES for _, event in marks)
        found[node].append(Try(operation, step, marks[0][0], marks[-1][0], count))
    return found
