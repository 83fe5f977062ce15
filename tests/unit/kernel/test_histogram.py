"""Our histograms tell Prometheus what those of its own client would."""

import random

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as Theirs
from prometheus_client.parser import text_string_to_metric_families

from bessemer.kernel.histogram import Histogram

BOUNDS = (0.001, 0.5, 1.0, 30.0)


def shown(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_the_same_amounts_give_the_same_text_as_the_clients_own() -> None:
    one, other = CollectorRegistry(), CollectorRegistry()
    ours = Histogram("waits_seconds", "Waits.", ("kind", "number"), buckets=BOUNDS, registry=one)
    theirs = Theirs("waits_seconds", "Waits.", ("kind", "number"), buckets=BOUNDS, registry=other)
    amounts = [*BOUNDS, 0.0, 31.0, *(random.Random(1).expovariate(1) for _ in range(100))]
    for number, amount in enumerate(amounts):
        ours.labels("a", number % 3).observe(amount)
        theirs.labels("a", number % 3).observe(amount)
    assert shown(one) == pytest.approx(shown(other))
    assert len(shown(one)) == 3 * (len(BOUNDS) + 3)


def test_one_without_labels_is_there_from_the_beginning() -> None:
    registry = CollectorRegistry()
    lag = Histogram("lag_seconds", "Lag.", buckets=BOUNDS, registry=registry)
    assert shown(registry)["lag_seconds_count", ()] == 0
    lag.observe(0.1)
    assert shown(registry)["lag_seconds_count", ()] == 1
    assert shown(registry)["lag_seconds_bucket", (("le", "0.5"),)] == 1


def test_a_block_is_timed_also_when_it_fails() -> None:
    registry = CollectorRegistry()
    waits = Histogram("waits_seconds", "Waits.", ("kind",), buckets=BOUNDS, registry=registry)
    with pytest.raises(RuntimeError), waits.labels("a").time():
        raise RuntimeError
    assert shown(registry)["waits_seconds_count", (("kind", "a"),)] == 1


def test_mistakes_are_refused() -> None:
    registry = CollectorRegistry()
    with pytest.raises(ValueError, match="ascend"):
        Histogram("a", "A.", buckets=(2.0, 1.0), registry=registry)
    histogram = Histogram("a", "A.", ("kind",), buckets=BOUNDS, registry=registry)
    with pytest.raises(ValueError, match="labels"):
        histogram.labels("a", "b")
    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("a", "A.", buckets=BOUNDS, registry=registry)
