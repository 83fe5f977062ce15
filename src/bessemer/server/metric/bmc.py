"""The BMCs that this process knows, as their coordinators have learned them: looked up when it is asked."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bessemer.hardware.redfish.pool import BmcPool

#: Shares of the BMCs that the learned times are told for.
_SHARES: Final = (0.5, 0.9, 0.99)


class BmcCensus(Collector):
    """Conductors of one group may know the same BMC: sums over processes may count it twice."""

    def __init__(self, pool: BmcPool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        known = list(self._pool.coordinators)
        silent = sum(one.circuit.is_open for one in known)
        states = GaugeMetricFamily(
            "bessemer_bmcs",
            "BMCs that this process has called lately, by whether they answer.",
            labels=["state"],
        )
        states.add_metric(["answering"], len(known) - silent)
        states.add_metric(["silent"], silent)
        yield states
        yield _shares(
            "bessemer_bmc_usual_answer_seconds",
            "What a share of the BMCs usually need for an answer, at most, as learned from their answers.",
            [one.patience.usual_s for one in known if one.patience.usual_s is not None],
        )
        yield _shares(
            "bessemer_bmc_patience_seconds",
            "How long an answer is waited for at most, at a share of the BMCs.",
            [one.patience.limit_s for one in known],
        )


def _shares(name: str, meaning: str, values: Sequence[float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=["share"])
    ordered = sorted(values)
    for share in _SHARES if ordered else ():
        family.add_metric([str(share)], ordered[min(len(ordered) - 1, int(share * len(ordered)))])
    return family
