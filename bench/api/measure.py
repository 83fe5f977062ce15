"""Measuring one server: enrol a fleet, then every call of ``call.GOALS``, CPU and latency of each.

CPU is that of the server's processes alone. Work that goes on after its answer (power changes, deployments)
is measured on several nodes at once, with everything until it is complete; the looks at it are counted,
measured by themselves and taken off.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

from bench.api import call, fleet
from bench.api.client import Client
from bench.api.server import Server

#: Wall time that each call is repeated for, and how often at least and at most.
SPAN_S, FEWEST, MOST = 2.0, 5, 1000
ROUNDS = 3
WORK_TIMEOUT_S = 120.0
_LOOK_EVERY_S = 0.1
_PAGE = 1000
_WORK = "/v1/nodes?" + urlencode(
    {"resource_class": fleet.WORK_CLASS, "fields": "uuid,provision_state,power_state,last_error"}
)


@dataclass(frozen=True)
class Figure:
    """Of one operation. Latencies are those of the whole operation as the client sees it."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    count: int


@dataclass
class Result:
    """Everything measured of one server."""

    nodes: int
    first_answer_s: float
    figures: dict[str, Figure] = field(default_factory=dict)
    resident_mib: float = 0.0


class Measurement:
    """Of ``server``, with a fleet of ``nodes``; ``rounds`` of deployments are run on some of them."""

    def __init__(self, server: Server, nodes: int, *, rounds: int = ROUNDS) -> None:
        self._server = server
        self._client = Client(server.port)
        self._rounds = rounds
        self.result = Result(nodes, server.first_answer_s)

    def run(self) -> Result:
        """All of it, in an order in which no call changes what a later one finds."""
        nodes = self.result.nodes
        self._repeat(call.CREATE, self._creations(nodes), fewest=nodes, most=nodes, warm_up=0)
        numbers = count()
        self._repeat(call.GET, lambda: self._client.call("GET", f"/v1/nodes/{fleet.name(nodes // 2)}"))
        self._repeat(call.PATCH, lambda: self._patch(next(numbers) % nodes))
        self._repeat(call.LIST, lambda: self._client.call("GET", f"/v1/nodes?limit={_PAGE}"))
        self._repeat(call.LIST_DETAIL, lambda: self._client.call("GET", f"/v1/nodes/detail?limit={_PAGE}"))
        fields = f"/v1/nodes?limit={_PAGE}&fields=uuid,name,power_state"
        self._repeat(call.LIST_FIELDS, lambda: self._client.call("GET", fields))
        self._repeat(call.WALK, self._walk, fewest=2)
        some = "/v1/nodes?limit=100&provision_state=enroll&resource_class=class-3"
        self._repeat(call.FILTER, lambda: self._client.call("GET", some))
        look_ms = self._repeat(None, lambda: self._client.call("GET", _WORK), most=50).cpu_ms
        self._provision("manage", "manageable")
        self._provision("provide", "available")
        self._rounds_of(call.POWER, look_ms, self._power_round)
        self._rounds_of(call.CYCLE, look_ms, self._cycle_round)
        self.result.resident_mib = self._server.resident_mib()
        self._client.close()
        return self.result

    # ------------------------------------------------------------------ calls

    def _creations(self, nodes: int) -> Callable[[], object]:
        bodies = (fleet.node(number) for number in range(nodes))
        return lambda: self._client.call("POST", "/v1/nodes", next(bodies))

    def _patch(self, number: int) -> None:
        patch = [{"op": "add", "path": "/extra/seen", "value": number}]
        self._client.call("PATCH", f"/v1/nodes/{fleet.name(number)}", patch)

    def _walk(self) -> None:
        seen = 0
        address = following = f"/v1/nodes?fields=uuid&limit={min(_PAGE, self.result.nodes // 10)}"
        while held := self._client.get(following)["nodes"]:
            seen += len(held)
            following = f"{address}&marker={held[-1]['uuid']}"
        if seen != self.result.nodes:
            raise RuntimeError(f"a walk met {seen} of {self.result.nodes} nodes")

    def _repeat(
        self,
        goal: call.Goal | None,
        once: Callable[[], object],
        *,
        fewest: int = FEWEST,
        most: int = MOST,
        warm_up: int = 3,
    ) -> Figure:
        """Call ``once`` for a while. Latency is that of ``once``, which may be several requests."""
        for _ in range(min(warm_up, fewest)):
            once()
        latencies: list[float] = []
        began, cpu = time.perf_counter(), self._server.cpu_s()
        while len(latencies) < fewest or (len(latencies) < most and time.perf_counter() - began < SPAN_S):
            at = time.perf_counter()
            once()
            latencies.append(time.perf_counter() - at)
        figure = _figure(self._server.cpu_s() - cpu, latencies, len(latencies))
        if goal is not None:
            self.result.figures[goal.title] = figure
        return figure

    # ------------------------------------------------------------------ work that goes on after the answer

    def _rounds_of(
        self, goal: call.Goal, look_ms: float, rounds: Callable[[], Iterator[tuple[float, int]]]
    ) -> None:
        """``rounds`` gives, for each round, how long it took and how many looks it needed."""
        cpu, spans, looks = self._server.cpu_s(), [], 0
        for took_s, looked in rounds():
            spans.append(took_s)
            looks += looked
        spent = self._server.cpu_s() - cpu - looks * look_ms / 1000
        self.result.figures[goal.title] = _figure(spent, spans, len(spans) * fleet.AT_WORK)

    def _power_round(self) -> Iterator[tuple[float, int]]:
        for number in range(2 * self._rounds):
            target = "power off" if number % 2 else "power on"
            began = time.perf_counter()
            for node in range(fleet.AT_WORK):
                self._client.call("PUT", f"/v1/nodes/{fleet.name(node)}/states/power", {"target": target})
            looks = self._wait("power_state", target)
            yield time.perf_counter() - began, looks

    def _cycle_round(self) -> Iterator[tuple[float, int]]:
        for _ in range(self._rounds):
            began = time.perf_counter()
            looks = self._provision("active", "active") + self._provision("deleted", "available")
            yield time.perf_counter() - began, looks

    def _provision(self, verb: str, state: str) -> int:
        for node in range(fleet.AT_WORK):
            self._client.call("PUT", f"/v1/nodes/{fleet.name(node)}/states/provision", {"target": verb})
        return self._wait("provision_state", state)

    def _wait(self, name: str, wanted: str) -> int:
        """Look until all nodes at work are as ``wanted``; how often it looked. Raises RuntimeError."""
        deadline = time.monotonic() + WORK_TIMEOUT_S
        for looks in count(1):
            time.sleep(_LOOK_EVERY_S)
            held: list[dict[str, Any]] = self._client.get(_WORK)["nodes"]
            late = [node for node in held if node[name] != wanted]
            if len(held) == fleet.AT_WORK and not late:
                return looks
            if time.monotonic() > deadline or any(node["last_error"] for node in late):
                raise RuntimeError(f"nodes did not come to {name} {wanted!r}: {late[:2]}")
        raise AssertionError


def _figure(cpu_s: float, latencies_s: list[float], operations: int) -> Figure:
    """``latencies_s`` may be of rounds of several operations each."""
    ordered = sorted(latencies_s)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] * 1000

    return Figure(cpu_s * 1000 / operations, at(0.5), at(0.99), operations)
