"""Figures that nobody counts along the way: they are looked up when Prometheus asks."""

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bessemer.kernel.clock import seconds_between
from bessemer.kernel.error import Unavailable
from bessemer.store.backlog import Backlog, read_backlog
from bessemer.store.database import Database

#: For how long what the database said is told again, in seconds: who asks often must not cost much.
_FRESH_S: Final = 5.0


class Census(Collector):
    """What is open in the whole service, as the database knows it, and this process's own connections.

    The former is the same wherever it is asked for: take the maximum of all processes, not the sum.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._backlog: Backlog | None = None
        self._read_at = float("-inf")

    async def refresh(self) -> None:
        """Ask the database, unless it was asked a moment ago. One that is away leaves its figures out."""
        if time.monotonic() - self._read_at < _FRESH_S:
            return
        try:
            async with self._database.read() as tx:
                self._backlog = await read_backlog(tx)
        except Unavailable:
            self._backlog = None
        self._read_at = time.monotonic()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        is_there = GaugeMetricFamily("bessemer_database_up", "Whether the database answered.")
        is_there.add_metric([], float(self._backlog is not None))
        yield is_there
        connections = GaugeMetricFamily(
            "bessemer_database_connections", "Connections of this process.", labels=["pool", "state"]
        )
        for name, pool in self._database.pools.items():
            for state, count in zip(("used", "idle", "most"), pool.usage, strict=True):
                connections.add_metric([name, state], count)
        yield connections
        if self._backlog is not None:
            yield from _of_backlog(self._backlog)


def _of_backlog(backlog: Backlog) -> Iterator[GaugeMetricFamily]:
    by_state = GaugeMetricFamily(
        "bessemer_operations_open",
        "Operations of the whole service that are not over, by kind and state.",
        labels=["kind", "state"],
    )
    for kind, state, count in backlog.counts:
        by_state.add_metric([kind, state], count)
    yield by_state
    age = GaugeMetricFamily(
        "bessemer_queue_age_seconds",
        "Age of the operation that has been queued for longest, by the limit it counts against.",
        labels=["pool"],
    )
    for pool, since in backlog.oldest.items():
        age.add_metric([pool or "none"], max(0.0, seconds_between(since, backlog.now)))
    yield age
    conductors = GaugeMetricFamily("bessemer_conductors_alive", "Conductors that hold a lease.")
    conductors.add_metric([], backlog.conductors)
    yield conductors
